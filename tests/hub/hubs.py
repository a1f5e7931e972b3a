"""A hub driven by hand: the real store and inbox, with a clock that stands where the test puts it."""

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import zmq

from hub import folder
from hub.inbox import HubInbox
from hub.paths import Layout
from hub.store import enrolments
from hub.store.schema import MIGRATIONS
from hub.views import Views
from shared import disclosure, storage
from shared.link import invitations
from shared.link.outcomes import Delivery, Outcome
from shared.records import Record, encode

NOON = 1_761_998_400.0  # 2025-11-01T12:00:00Z
EPOCH = 1


class Hub:
    """One hub; `now` is its clock, `send` a school's link with sequence numbers kept."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.now = NOON
        self.writer = storage.Writer(layout.database, MIGRATIONS)
        self.views = Views(layout.folder, lambda: self.now)
        self.inbox = HubInbox(self.writer, lambda: self.now, known=self.views.known)
        self._logs: dict[str, list[disclosure.Entry]] = {}

    def invite(self, name: str, *, simulated: bool = False) -> bytes:
        """The secret of a new invitation."""
        token = self.writer.run(
            lambda own: enrolments.invite(own, name, simulated, "tcp://127.0.0.1:5710", new_key(), self.now)
        )
        return invitations.decode(token).secret

    def join(self, name: str, *, simulated: bool = False) -> str:
        """A school invited and joined; its enrolment."""
        enrolment = self.inbox.join(new_key(), self.invite(name, simulated=simulated), name)
        self.inbox.hello(enrolment, "records", EPOCH)
        return enrolment

    def send(self, enrolment: str, *records: Record | bytes) -> Sequence[Outcome]:
        """Deliver records, numbered on."""
        return self.inbox.deliver([self.delivery(enrolment, record) for record in records])

    def delivery(self, enrolment: str, record: Record | bytes) -> Delivery:
        """The next delivery of a school."""
        payload = record if isinstance(record, bytes) else encode(record)
        log = self._logs.setdefault(enrolment, [])
        log.append(_entry(log[-1] if log else None, payload))
        return Delivery(enrolment, "records", EPOCH, len(log), payload, disclosure.pack(log[-1]))

    def counters(self) -> dict[str, int]:
        """What the hub counted."""
        return {tally.reason: tally.count for tally in self.views.status().counters}

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Rows of the store."""
        connection = sqlite3.connect(self.layout.database)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    @contextmanager
    def writer_busy(self) -> Iterator[Callable[[], bool]]:
        """While it lasts, the writer is inside a transaction; gives whether it still is (for a minute)."""
        began, end = threading.Event(), threading.Event()

        def hold(connection: sqlite3.Connection) -> None:
            began.set()
            end.wait(60)

        done = self.writer.submit(hold)
        began.wait(60)
        try:
            yield lambda: not done.done()
        finally:
            end.set()
            done.result()

    def close(self) -> None:
        """Let everything go."""
        self.views.close()
        self.inbox.close()
        self.writer.close()


@contextmanager
def temporary_hub() -> Iterator[Hub]:
    """A hub for one example of a property."""
    with TemporaryDirectory() as name:
        layout = Layout(Path(name) / "hub")
        folder.create(layout, "North District", 8000, "tcp://127.0.0.1:5710", simulated=False)
        hub = Hub(layout)
        try:
            yield hub
        finally:
            hub.close()


def _entry(before: disclosure.Entry | None, payload: bytes) -> disclosure.Entry:
    """How a school's log tells of its next record."""
    kind = re.search(rb'"kind":"([a-z]+)"', payload)
    chain, seq = (before.chain, before.seq + 1) if before else (disclosure.GENESIS, 1)
    said = (seq, "2025-11-01T12:00:00Z", kind[1].decode() if kind else "lesson", seq, len(payload))
    sha256 = disclosure.digest(payload)
    link = disclosure.link(chain, *said, sha256)
    _, at, word, number, size = said
    return disclosure.Entry(seq, chain, link, word, number, size, sha256, at)


def new_key() -> str:
    """A public key nobody had before."""
    public, _ = zmq.curve_keypair()
    return public.decode()
