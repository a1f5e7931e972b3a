"""The heartbeat: a status record every few minutes, and at once when a source is heard for the first time."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Final

from edge_agent.lessons.closing import hand_over
from edge_agent.status import when
from shared.link import outbox
from shared.records import SourceFreshness, StatusRecord
from shared.storage import Writer

EVERY_SECONDS: Final = 300.0


class Heartbeat:
    """Says that the agent lives and when each source was last heard: no signal, no class."""

    def __init__(self, writer: Writer, reader: sqlite3.Connection, school: str, version: str) -> None:
        self._writer = writer
        self._reader = reader
        self._school = school
        self._version = version
        self._next = time.monotonic()
        self._told: frozenset[str] = frozenset()

    def beat(self, sources: Callable[[], Sequence[tuple[str, str, str]]], now: float) -> bool:
        """Hand over a status record if one is due and none waits already; whether it did.

        `sources` gives id, kind and state of each.
        """
        newest = dict(
            self._reader.execute("SELECT id, newest FROM sources WHERE newest IS NOT NULL").fetchall()
        )
        heard = frozenset(newest)
        if time.monotonic() < self._next and heard == self._told:
            return False
        waits = "SELECT 1 FROM outbox WHERE state = 'pending' AND kind = 'status'"
        if self._reader.execute(waits).fetchone() is not None:
            return False
        record = StatusRecord(
            school=self._school,
            sources=tuple(
                SourceFreshness(kind, when(newest[name]) if name in newest else None)
                for name, kind, _ in sources()
            ),
            backlog=outbox.counts(self._reader).pending,
            version=self._version,
        )
        self._writer.run(lambda connection: hand_over(connection, record, "status", now))
        self._next = time.monotonic() + EVERY_SECONDS
        self._told = heard
        return True
