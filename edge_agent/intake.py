"""Hop 1, the agent's end: what collectors send is committed with its position before it is acknowledged."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np

from edge_agent import parcel as parcels
from edge_agent.store import counts
from shared import signals
from shared.errors import BadInput
from shared.link import ledger
from shared.link.receiver import Delivery, Outcome, Standing
from shared.storage import Writer

ENROLMENT: Final = "collectors"


class IntakeInbox:
    """The receiving side of hop 1, for shared.link.server."""

    def __init__(self, writer: Writer, collector_key: str, apps: int, on_signals: Callable[[], None]) -> None:
        self._writer = writer
        self._enrolments = {collector_key: ENROLMENT}
        self._apps = apps
        self._on_signals = on_signals
        self.trouble = ""

    def enrolments(self) -> Mapping[str, str]:
        """The collectors' key; there are no others yet."""
        return self._enrolments

    def inviting(self) -> bool:
        """Collectors on other machines cannot enrol yet."""
        return False

    def join(self, public_key: str, secret: bytes, name: str) -> str:
        """Refused: see `inviting`."""
        raise BadInput("not_inviting", "this agent takes no collectors from other machines")

    def hello(self, enrolment: str, stream: str, epoch: int) -> Standing:
        """Where the source's reading stands; older sessions of its collector are fenced off."""
        return self._writer.run(lambda connection: ledger.hello(connection, enrolment, stream, epoch))

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Commit parcels; returns when they are on disk."""
        try:
            outcomes = self._writer.run(
                lambda connection: ledger.deliver_in_transaction(connection, deliveries, self._effect)
            )
        except sqlite3.Error as error:
            self.trouble = (
                f"Signals cannot be stored ({error}): make room on the disk; nothing is lost meanwhile"
            )
            raise
        self.trouble = ""
        self._on_signals()
        return outcomes

    def _effect(self, connection: sqlite3.Connection, delivery: Delivery) -> None:
        parcel = parcels.decode(delivery.payload)
        for data in parcel.batches:
            store_signals(connection, signals.decode(data, apps=self._apps), data)
        store_counts(connection, parcel)


def store_signals(connection: sqlite3.Connection, batch: signals.SignalBatch, payload: bytes) -> None:
    """Keep a checked batch, and which classes it has signals of."""
    day = _day(batch.day_key)
    cursor = connection.execute(
        "INSERT INTO batches (day, kind, source, t_min, t_max, signals, payload) VALUES (?,?,?,?,?,?,?)",
        (day, batch.kind, batch.source, int(batch.t.min()), int(batch.t.max()), len(batch), payload),
    )
    rows = []
    for index, code in enumerate(batch.class_codes):
        t = batch.t[batch.class_ == index]
        if len(t):
            rows.append((code, cursor.lastrowid, int(t.min()), int(t.max())))
    connection.executemany("INSERT INTO batch_classes VALUES (?, ?, ?, ?)", rows)
    minutes, numbers = np.unique(batch.t // 60, return_counts=True)
    counts.add_minutes(connection, zip(minutes.tolist(), numbers.tolist(), strict=True))
    connection.execute(
        """INSERT INTO sources (id, kind, signals) VALUES (?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET signals = signals + excluded.signals""",
        (batch.source, batch.kind, len(batch)),
    )


def store_counts(connection: sqlite3.Connection, parcel: parcels.Parcel) -> None:
    """Keep the counts of one chunk, the devices heard, and the statement ids seen."""
    counts.add_counts(connection, parcel.source, parcel.counts)
    counts.quarantine(connection, parcel.newest or 0, parcel.source, parcel.excerpts)
    connection.execute(
        """INSERT INTO sources (id, kind, newest, lines) VALUES (?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET lines = lines + excluded.lines,
           newest = max(coalesce(newest, 0), coalesce(excluded.newest, newest, 0))""",
        (parcel.source, parcel.kind, parcel.newest, parcel.lines),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO heard VALUES (?, ?, ?, ?)",
        [
            (group.class_code, group.start, as_signed(device), _day(group.day))
            for group in parcel.heard
            for device in group.devices
        ],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO statements VALUES (?, ?)",
        [(hash_, parcel.newest or 0) for hash_ in parcel.seen],
    )


def as_signed(pseudonym: int) -> int:
    """A uint64 as SQLite's int64."""
    return pseudonym - (1 << 64) if pseudonym >= 1 << 63 else pseudonym


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadInput("day_malformed", "not a date") from None
