"""A receiving site with a real file, for tests over real sockets: counts each payload in its own bucket."""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from shared.link import invitations, ledger
from shared.link.keys import KeyPair
from shared.link.outcomes import Delivery, Later, Outcome, Standing
from shared.storage import Writer, reader
from tests.shared.link.world import count, histogram_table

MIGRATIONS = (ledger.create_tables, invitations.create_tables, histogram_table)


def until(true: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Wait for something that another thread or process does; fails with `what` was awaited."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not true():
        assert time.monotonic() < end, f"never happened: {what}"
        pause.wait(0.01)


class Site:
    """An inbox as a few lines, with switches for what goes wrong."""

    def __init__(self, path: Path, keys: Mapping[str, str] | None = None) -> None:
        self.writer = Writer(path, MIGRATIONS)
        self.known = dict(keys or {})
        self.busy_for = 0  # deliveries answered with BUSY
        self.dies_after_commit = 0  # commits whose outcome never reaches the server
        self.groups: list[int] = []

    def enrolments(self) -> Mapping[str, str]:
        return self.known

    def inviting(self) -> bool:
        return self.writer.run(lambda c: invitations.any_open(c, time.time()))

    def join(self, public_key: str, secret: bytes, name: str) -> str:
        spent = self.writer.run(lambda c: invitations.spend(c, secret, public_key, time.time()))
        self.known[public_key] = spent.label
        return spent.label

    def hello(self, enrolment: str, stream: str, epoch: int) -> Standing:
        return self.writer.run(lambda c: ledger.hello(c, enrolment, stream, epoch))

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        if self.busy_for:
            self.busy_for -= 1
            return [Later(20)] * len(deliveries)
        outcomes = self.writer.run(lambda c: ledger.deliver_in_transaction(c, deliveries, count))
        self.groups.append(len(deliveries))
        if self.dies_after_commit:
            self.dies_after_commit -= 1
            raise RuntimeError("gone between commit and acknowledgement")
        return outcomes

    def invite(self, address: str, keys: KeyPair, label: str, lifetime: float = 3600) -> str:
        return self.writer.run(
            lambda c: invitations.create(
                c, address=address, server_public=keys.public, label=label, now=time.time(), lifetime=lifetime
            )
        )

    def histogram(self) -> Counter[bytes]:
        return histogram(self.writer.path)

    def close(self) -> None:
        self.writer.close()


def histogram(path: Path) -> Counter[bytes]:
    """Payload -> how often it had its effect, as another process sees it."""
    connection = reader(path)
    try:
        return Counter({row[0]: row[1] for row in connection.execute("SELECT payload, times FROM bucket")})
    except sqlite3.OperationalError:  # the other process has not made its tables yet
        return Counter()
    finally:
        connection.close()
