"""A collector's spool: a window's batches in memory; the receiver remembers where the source stands."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Final

from shared.errors import BadInput, CommonGroundError
from shared.link.feed import Item
from shared.link.frames import MAX_PAYLOAD, MAX_POSITION, WINDOW

STALLED_SECONDS: Final = 2.0


class Closed(CommonGroundError):  # noqa: N818 - it names what happened
    """The link was stopped, or another collector took the stream over; `str()` says which."""


class Rewound(CommonGroundError):  # noqa: N818 - it names what happened
    """The receiver does not have all that it once acknowledged: call `opened` and read on from there."""


class Spool:
    """A feed without a disk. `rereads`: the source can be read again from a position.

    If it cannot (things are pushed to the collector), what waits is kept whatever happens at the other
    end, `opened` need not be called, and `put` takes no position.
    """

    def __init__(
        self,
        *,
        rereads: bool = True,
        now_ms: Callable[[], int] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rewinds = 0
        self.rejected: Counter[str] = Counter()
        self._rereads = rereads
        self._now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)
        self._monotonic = monotonic
        self._progress = monotonic()  # when something was acknowledged, or put where nothing waited
        self._change = threading.Condition()
        self._wake: Callable[[], None] = lambda: None
        self._items: deque[Item] = deque()  # those after `_acked`
        self._closed = ""
        self._position: bytes | None = None  # of the newest batch put
        self._settled: bytes | None = None  # of the newest batch acknowledged
        self._epoch = self._now_ms()
        self._acked = 0
        self._last_aside = 0
        self._welcomed = False
        self._must_open = rereads

    def opened(self, timeout: float | None = None) -> bytes | None:
        """Wait until the receiver is there; the position to continue reading from, None for the start.

        Raises Closed, and TimeoutError after `timeout` seconds.
        """
        with self._change:
            if not self._change.wait_for(lambda: self._welcomed or self._closed, timeout):
                raise TimeoutError(f"no answer from the receiver within {timeout:g} seconds")
            self._check_open()
            self._must_open = False
            return self._position

    def put(self, payload: bytes, position: bytes | None = None, *, timeout: float | None = None) -> None:
        """Hand over one batch and where the source stands after it; blocks while a window's are on their way.

        Raises Closed, Rewound and, after `timeout` seconds, TimeoutError (this batch was not taken), and
        BadInput for a size that cannot be sent.
        """
        if not 0 < len(payload) <= MAX_PAYLOAD or len(position or b"") > MAX_POSITION:
            raise BadInput("payload_size", f"{len(payload)} bytes, allowed 1 to {MAX_PAYLOAD}")
        with self._change:
            free = self._change.wait_for(
                lambda: self._closed or self._must_open or len(self._items) < WINDOW, timeout
            )
            if not free:
                raise TimeoutError(
                    f"{WINDOW} batches wait for the receiver; it took none in {timeout:g} seconds"
                )
            self._check_open()
            self._check_rewound()
            if not self._items:
                self._progress = self._monotonic()
            self._items.append(Item(payload, position))
            if position is not None:
                self._position = position
        self._wake()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything is acknowledged; whether it was within `timeout` seconds. Raises Rewound."""
        with self._change:
            self._change.wait_for(lambda: self._closed or self._must_open or not self._items, timeout)
            if not self._closed:
                self._check_rewound()
            return not self._items

    def is_stalled(self) -> bool:
        """Whether something waits here of which the receiver has taken nothing for two seconds."""
        with self._change:
            return bool(self._items) and self._monotonic() - self._progress >= STALLED_SECONDS

    def attach(self, wake: Callable[[], None]) -> None:
        """See Feed."""
        self._wake = wake

    def detach(self) -> None:
        """See Feed."""
        self._wake = lambda: None

    def epoch(self) -> int:
        """See Feed."""
        return self._epoch

    def tail(self) -> int:
        """See Feed."""
        with self._change:
            return self._acked + len(self._items)

    def resume(self, last_seq: int, position: bytes | None) -> int:
        """See Feed; what was acknowledged is gone here, so a receiver that lost it starts a new epoch."""
        with self._change:
            # Before the first welcome nothing was sent: whatever is there belongs to somebody else.
            newest = self._acked + len(self._items) if self._welcomed else 0
            fits = self._acked <= last_seq <= newest
            if fits:
                self._drop(last_seq)
            if fits and not self._welcomed:
                self._welcomed = True
                self._position = self._settled = position
            elif not fits or (self._rereads and position != self._settled):
                self.rewinds += 1
                self._begin(max(self._now_ms(), self._epoch + 1))
            self._change.notify_all()
            return self._epoch

    def outdated(self, current: int) -> int | None:
        """See Feed: before the first welcome our clock may be behind; after it, somebody took over."""
        with self._change:
            if not self._welcomed:
                self._epoch = max(self._now_ms(), current + 1)
                return self._epoch
            self._closed = "another collector sends this stream now: stop one of the two"
            self._change.notify_all()
            return None

    def read(self, first: int, last: int) -> Sequence[Item]:
        """See Feed."""
        with self._change:
            start = first - self._acked - 1
            return [self._items[i] for i in range(start, last - self._acked)]

    def settle(self, seq: int) -> None:
        """See Feed."""
        with self._change:
            self._drop(seq)
            self._change.notify_all()

    def set_aside(self, seq: int, reason: str) -> None:
        """See Feed: a collector keeps nothing, it counts."""
        with self._change:
            if seq > self._last_aside:
                self._last_aside = seq
                self.rejected[reason] += 1

    def close(self) -> None:
        """See Feed."""
        with self._change:
            self._closed = self._closed or "the link was stopped"
            self._change.notify_all()

    def _begin(self, epoch: int) -> None:
        self._epoch = epoch
        self._acked = self._last_aside = 0
        self._welcomed = False
        self._must_open = self._rereads
        if self._rereads:
            self._items.clear()

    def _drop(self, seq: int) -> None:
        while self._acked < seq and self._items:
            item = self._items.popleft()
            self._acked += 1
            self._progress = self._monotonic()
            if item.position is not None:
                self._settled = item.position

    def _check_open(self) -> None:
        if self._closed:
            raise Closed(self._closed)

    def _check_rewound(self) -> None:
        if self._must_open:
            raise Rewound("ask `opened` where to read on")
