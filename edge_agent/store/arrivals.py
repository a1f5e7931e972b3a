"""What a group of parcels brought: each checked before anything of it is written, then written as one."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from edge_agent.catalogue import met as catalogue_met
from edge_agent.placing.daykeys import DESTROYED
from edge_agent.placing.parcel import Parcel
from edge_agent.store import counts, met, resting
from shared import signals
from shared.errors import BadInput
from shared.signals import SignalBatch

LONG: Final = 2 * 24 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Checked:
    """A parcel of which nothing can be refused any more, its batches decoded."""

    parcel: Parcel
    batches: Sequence[SignalBatch]


def check(parcel: Parcel, apps: int) -> Checked:
    """The parcel, its signals held against a catalogue of `apps` entries; raises BadInput."""
    batches = [signals.decode(data, apps=apps) for data in parcel.batches]
    for batch in batches:
        _day(batch.day_key)
        if len(set(batch.class_codes)) < len(batch.class_codes):
            raise BadInput("batch_class_twice")
    for group in (*parcel.heard, *parcel.present):
        _day(group.day)
        group.spans()
    for idle in parcel.idle:
        _day(idle.day)
        resting.check(idle, apps)
    for told in parcel.met:
        _day(told.day)
        catalogue_met.check(told)
    return Checked(parcel, batches)


class Arrivals:
    """Checked parcels on their way into the tables, for the length of one transaction, ended by `write`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._forgotten: dict[str, bool] = {}
        self._minutes: Counter[int] = Counter()
        self._signals: Counter[tuple[str, str]] = Counter()  # of each source and its kind
        self._parcels: list[Parcel] = []

    def add(self, checked: Checked) -> None:
        """One more parcel; of its signals the payload is written at once, the rest with the others'."""
        self._parcels.append(checked.parcel)
        for batch, payload in zip(checked.batches, checked.parcel.batches, strict=True):
            self._keep(batch, payload)

    def write(self) -> None:
        """Everything that `add` left."""
        connection = self._connection
        counts.add_minutes(connection, sorted(self._minutes.items()))
        connection.executemany(
            """INSERT INTO sources (id, kind, signals) VALUES (?, ?, ?)
               ON CONFLICT (id) DO UPDATE SET signals = signals + excluded.signals""",
            [(*source, n) for source, n in self._signals.items()],
        ).close()
        self._count()
        self._hear()

    def _keep(self, batch: SignalBatch, payload: bytes) -> None:
        """A batch as it came; one of a forgotten day is late."""
        day = _day(batch.day_key)
        if self._is_forgotten(day):
            counts.add_counts(self._connection, batch.source, {"late": {DESTROYED: len(batch)}})
            return
        self._connection.execute(
            "INSERT INTO batches (day, kind, source, t_min, t_max, signals, payload) VALUES (?,?,?,?,?,?,?)",
            (day, batch.kind, batch.source, int(batch.t.min()), int(batch.t.max()), len(batch), payload),
        )
        self._minutes.update(by_minute(batch))
        self._signals[batch.source, batch.kind] += len(batch)

    def _count(self) -> None:
        counted: dict[str, dict[str, Counter[str]]] = {}
        for parcel in self._parcels:
            for what, reasons in parcel.counts.items():
                counted.setdefault(parcel.source, {}).setdefault(what, Counter()).update(reasons)
            if parcel.excerpts:
                counts.quarantine(self._connection, parcel.newest or 0, parcel.source, parcel.excerpts)
        for source, numbers in counted.items():
            counts.add_counts(self._connection, source, numbers)
        self._connection.executemany(
            """INSERT INTO sources (id, kind, newest, lines) VALUES (?, ?, ?, ?)
               ON CONFLICT (id) DO UPDATE SET lines = lines + excluded.lines,
               newest = max(coalesce(newest, 0), coalesce(excluded.newest, newest, 0))""",
            [(parcel.source, parcel.kind, parcel.newest, parcel.lines) for parcel in self._parcels],
        ).close()

    def _hear(self) -> None:
        """Who was heard, who was there, what was asked for at rest, and which statements were seen."""
        for statement, groups in (
            (_HEARD, [group for parcel in self._parcels for group in parcel.heard]),
            (_PRESENT, [group for parcel in self._parcels for group in parcel.present]),
        ):
            self._connection.executemany(
                statement,
                [
                    (group.class_code, group.start, as_signed(device), day, first, last)
                    for group in groups
                    if not self._is_forgotten(day := _day(group.day))
                    for device, first, last in group.spans()
                ],
            ).close()
        resting.add(self._connection, [idle for parcel in self._parcels for idle in parcel.idle])
        told = [one for parcel in self._parcels for one in parcel.met if not self._is_forgotten(one.day)]
        met.add(self._connection, told)
        self._connection.executemany(
            "INSERT OR IGNORE INTO statements VALUES (?, ?)",
            [(hash_, parcel.newest or 0) for parcel in self._parcels for hash_ in parcel.seen],
        ).close()

    def _is_forgotten(self, day: str) -> bool:
        """Whether its lessons are closed for good: what comes now could only make others of them."""
        if day not in self._forgotten:
            row = self._connection.execute("SELECT 1 FROM forgotten WHERE day = ?", (day,)).fetchone()
            self._forgotten[day] = row is not None
        return self._forgotten[day]


# Whatever the order and however often it is told: the earliest and the latest.
_MERGED: Final = """INSERT INTO {0} (class_code, start, device, day, first, last) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (class_code, start, device) DO UPDATE SET
    first = min(first, excluded.first), last = max(last, excluded.last)
    WHERE excluded.first < first OR excluded.last > last"""
_HEARD: Final = _MERGED.format("heard")
_PRESENT: Final = _MERGED.format("present")


def by_minute(batch: SignalBatch) -> dict[int, int]:
    """Minutes since 1970 and how many signals each has."""
    minutes = batch.t // np.uint32(60)
    first = minutes.min()
    if minutes.max() - first > LONG:  # no batch of a school's day: whoever sent it takes no memory by it
        found, numbers = np.unique(minutes, return_counts=True)
        return dict(zip(found.tolist(), numbers.tolist(), strict=True))
    numbers = np.bincount((minutes - first).astype(np.intp))
    return {minute: n for minute, n in enumerate(numbers.tolist(), int(first)) if n}


def as_signed(pseudonym: int) -> int:
    """A uint64 as SQLite's int64."""
    return pseudonym - (1 << 64) if pseudonym >= 1 << 63 else pseudonym


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadInput("day_malformed", "not a date") from None
