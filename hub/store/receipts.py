"""What each record was disclosed as: the entry of the school's own log that came with it, kept beside it.

Entries of lessons and weeks stay, so that what the hub holds can be compared with what was disclosed; of a
status record, which leaves nothing to compare, only the place in the line.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from hub.store import alarms
from shared import disclosure
from shared.disclosure import REFUSED, Entry
from shared.errors import BadInput
from shared.records import LessonRecord, Record, WeekRecord

if TYPE_CHECKING:
    from sqlite_utils import Database

UNDISCLOSED: Final = "undisclosed"  # the counter of records whose agent tells no entry
LESSON: Final = "lesson"
WEEK: Final = "week"

_Word = Annotated[str, msgspec.Meta(max_length=64)]


class _Lesson(msgspec.Struct, frozen=True, tag="lesson", tag_field="kind"):
    class_: _Word = msgspec.field(name="class")
    start: _Word
    revision: int


class _Week(msgspec.Struct, frozen=True, tag="week", tag_field="kind"):
    week: _Word
    grade_band: _Word


class _Status(msgspec.Struct, frozen=True, tag="status", tag_field="kind"):
    pass


_told: Final = msgspec.json.Decoder(_Lesson | _Week | _Status)


def create_tables(db: "Database") -> None:
    """A migration step.

    receipts: `about` is "class start revision" of a lesson (start in epoch seconds), "week band" of a week.
    receipt_lines: a school's newest entry, and how often its log went back or was another one, last when.
    """
    db.execute(
        """CREATE TABLE receipts (
            school_id INTEGER NOT NULL REFERENCES schools(id), seq INTEGER NOT NULL, chain TEXT NOT NULL,
            sha256 TEXT NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL, bytes INTEGER NOT NULL,
            accepted INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (school_id, seq, chain)) WITHOUT ROWID"""
    )
    db.execute(
        """CREATE TABLE receipt_lines (
            school_id INTEGER PRIMARY KEY REFERENCES schools(id), seq INTEGER NOT NULL, chain TEXT NOT NULL,
            broken INTEGER NOT NULL, last_broken REAL)"""
    )


def check(position: bytes | None, payload: bytes, record: Record | None = None) -> Entry | None:
    """The log's entry of this record, or None from an agent that tells none.

    `record` is the payload's, where it is known. Raises BadInput, `not_as_disclosed`, for an entry of other
    bytes or of another kind of record.
    """
    if position is None:
        return None
    entry = disclosure.of_record(position, payload)
    try:
        kind, about = _about(record or _told.decode(payload))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError):
        return entry  # no record at all: whoever reads it refuses it with a reason of its own
    if kind != entry.kind:
        raise BadInput(REFUSED, "the entry is of another kind of record")
    entry.about = about
    return entry


def keep(connection: sqlite3.Connection, school_id: int, entries: Sequence[Entry], at: float) -> int:
    """Keep these entries, in the order they came, at hub time `at`; how often they broke the line.

    The line is broken by an entry that does not come after the newest one known, or comes next and does not
    follow from it: the school's agent went back to an older state, or another one speaks in its place. What
    it brings is kept all the same, and counted.
    """
    if not entries:
        return 0
    row = connection.execute(
        "SELECT seq, chain FROM receipt_lines WHERE school_id = ?", (school_id,)
    ).fetchone()
    broken = _breaks(_Newest(*row) if row else None, entries)
    connection.executemany(
        "INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            (school_id, e.seq, e.chain, e.sha256, e.kind, e.about, e.size, int(e.accepted), at)
            for e in entries
            if e.kind in (LESSON, WEEK)
        ),
    ).close()
    connection.execute(
        "INSERT INTO receipt_lines VALUES (?1, ?2, ?3, ?4, iif(?4, ?5, NULL))"
        " ON CONFLICT (school_id) DO UPDATE SET seq = ?2, chain = ?3, broken = broken + ?4,"
        " last_broken = iif(?4, ?5, last_broken)",
        (school_id, entries[-1].seq, entries[-1].chain, broken, at),
    ).close()
    if broken:
        alarms.of_broken_line(connection, school_id, at, broken)
    return broken


@dataclass(frozen=True, slots=True)
class _Newest:
    seq: int
    chain: str


def _breaks(newest: "_Newest | None", entries: Iterable[Entry]) -> int:
    broken = 0
    for entry in entries:
        if newest is not None:
            next_ = entry.seq == newest.seq + 1
            broken += entry.seq <= newest.seq or (next_ and entry.before != newest.chain)
        newest = _Newest(entry.seq, entry.chain)
    return broken


def _about(told: Record | _Lesson | _Week | _Status) -> tuple[str, str]:
    if isinstance(told, LessonRecord | _Lesson):
        start = int(datetime.fromisoformat(told.start).timestamp())
        return LESSON, f"{told.class_} {start} {told.revision}"
    if isinstance(told, WeekRecord | _Week):
        return WEEK, f"{told.week} {told.grade_band}"
    return "status", ""
