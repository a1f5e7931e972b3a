"""The sending half of an agent: an outbox on disk and the real link to a hub."""

import queue
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hub.inbox import HubInbox
from shared import storage
from shared.link import invitations, outbox
from shared.link.client import LinkClient
from shared.link.joining import join
from shared.link.keys import KeyPair
from shared.link.outbox_feed import OutboxFeed
from shared.link.outcomes import Delivery, Outcome
from shared.records import Record, encode

PATIENCE_S = 30.0


def until(claim: Callable[[], bool]) -> None:
    """Wait until `claim` holds; fails when it does not within PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


class HeardInbox(HubInbox):
    """A hub's inbox whose outcomes, in order, a test can wait for."""

    def __init__(self, writer: storage.Writer) -> None:
        super().__init__(writer)
        self.heard: queue.SimpleQueue[Outcome] = queue.SimpleQueue()

    def begin(
        self, deliveries: Sequence[Delivery], ready: Callable[[], None]
    ) -> Callable[[], Sequence[Outcome]]:
        """Deliver, and tell."""
        outcomes = super().begin(deliveries, ready)

        def heard() -> Sequence[Outcome]:
            found = outcomes()
            for outcome in found:
                self.heard.put(outcome)
            return found

        return heard


class Agent:
    """A school's outbox and keys; `join` with a token, then `connected()` sends what was put."""

    def __init__(self, folder: Path, school: str) -> None:
        folder.mkdir()
        self.school = school
        self.keys = KeyPair.new()
        self._writer = storage.Writer(folder / "agent.db", [outbox.create_tables])
        self._feed = OutboxFeed(self._writer)

    def join(self, token_text: str, address: str) -> invitations.Token:
        """Use an invitation at `address` (the token's own names the configured port)."""
        token = invitations.decode(token_text)
        join(address, token.server_public, self.keys, token.secret, self.school, PATIENCE_S)
        return token

    def put(self, *records: Record | bytes) -> None:
        """Accept records for delivery."""

        def append(connection: sqlite3.Connection) -> None:
            for record in records:
                payload = record if isinstance(record, bytes) else encode(record)
                outbox.append(connection, "record", payload)

        self._writer.run(append)
        self._feed.wake()

    @contextmanager
    def connected(self, address: str, server_public: str) -> Iterator[LinkClient]:
        """While it lasts, the outbox is sent."""
        client = LinkClient(address, server_public, self.keys, "records", self._feed, random.Random(7))
        client.start()
        try:
            yield client
        finally:
            client.stop()

    def close(self) -> None:
        """Let the file go."""
        self._writer.close()
