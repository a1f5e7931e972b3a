"""The outbox as the client's feed: what it accepted goes out, what the receiver says is remembered."""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as StillWorking
from typing import TypeVar

from shared.errors import CommonGroundError
from shared.link import outbox, outbox_epochs
from shared.link.feed import Item
from shared.storage import Writer, reader

T = TypeVar("T")


class OutboxFeed:
    """Writes through the file's one writer, reads beside it.

    `recognises` is asked at each WELCOME, inside the transaction that stands where the receiver stands,
    whether the position that the receiver tells is one that this outbox sent. Stop the client before closing
    the writer.
    """

    def __init__(
        self,
        writer: Writer,
        clock: Callable[[], float] = time.time,
        recognises: Callable[[sqlite3.Connection, bytes], bool] | None = None,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._recognises = recognises
        self._connection: sqlite3.Connection | None = None
        self._closed = threading.Event()
        self._wake: Callable[[], None] = lambda: None

    def wake(self) -> None:
        """Call after a commit that appended, from any thread; the client looks by itself each second too."""
        self._wake()

    def attach(self, wake: Callable[[], None]) -> None:
        """See Feed."""
        self._closed.clear()
        self._connection = reader(self._writer.path)
        self._wake = wake

    def detach(self) -> None:
        """See Feed."""
        self._wake = lambda: None
        if self._connection:
            self._connection.close()
            self._connection = None

    def epoch(self) -> int:
        """See Feed."""
        return outbox.epoch(self._reading())

    def tail(self) -> int:
        """See Feed."""
        return outbox.tail(self._reading())

    def resume(self, last_seq: int, position: bytes | None) -> int:
        """See Feed; a position that is not this outbox's own begins a new epoch."""
        now = self._clock()

        def stand(connection: sqlite3.Connection) -> int:
            ours = None
            if position is not None and self._recognises is not None:
                ours = self._recognises(connection, position)
            return outbox_epochs.resume(connection, last_seq, now, int(now * 1000), ours=ours)

        return self._commit(stand)

    def outdated(self, current: int) -> int | None:
        """See Feed."""
        now_ms = int(self._clock() * 1000)
        return self._commit(lambda connection: outbox_epochs.outdated(connection, current, now_ms))

    def read(self, first: int, last: int) -> Sequence[Item]:
        """See Feed."""
        return outbox.read(self._reading(), first, last)

    def settle(self, seq: int) -> None:
        """See Feed."""
        now = self._clock()
        self._commit(lambda connection: outbox.settle(connection, seq, now))

    def set_aside(self, seq: int, reason: str) -> None:
        """See Feed."""
        self._commit(lambda connection: outbox.set_aside(connection, seq, reason))

    def close(self) -> None:
        """See Feed."""
        self._closed.set()

    def _reading(self) -> sqlite3.Connection:
        if self._connection is None:
            raise CommonGroundError("the outbox is not attached to a running client: start one")
        return self._connection

    def _commit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        future = self._writer.submit(work)
        while True:
            try:
                return future.result(timeout=0.5)
            except StillWorking:
                if self._closed.is_set():
                    raise CommonGroundError("the outbox closed before its last change was on disk") from None
