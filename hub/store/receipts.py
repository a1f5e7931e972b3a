"""What each record was disclosed as: the entry of the school's own log that came with it, kept beside it.

Entries of lessons and weeks that were taken stay, so that what the hub holds can be compared with what was
disclosed; of a record that leaves nothing to compare only the place in the line.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from hub.store import alarms
from shared import disclosure
from shared.disclosure import REFUSED, Entry
from shared.errors import BadInput
from shared.link.frames import WINDOW
from shared.records import MOST_REVISIONS, LessonRecord, Record, WeekRecord

if TYPE_CHECKING:
    from sqlite_utils import Database

UNDISCLOSED: Final = "undisclosed"  # the counter of records whose agent tells no entry
LESSON: Final = "lesson"
ENTRIES: Final = 2  # of a record that was withdrawn: its own, and the one that says so
UNDER_WAY: Final = WINDOW  # records that may have come although the school took them back
WEEK: Final = "week"

_Word = Annotated[str, msgspec.Meta(max_length=64)]


class _Lesson(msgspec.Struct, frozen=True, tag="lesson", tag_field="kind"):
    class_: _Word = msgspec.field(name="class")
    start: _Word
    revision: Annotated[int, msgspec.Meta(ge=1, le=MOST_REVISIONS)]


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


def add_gaps(db: "Database") -> None:
    """A migration step: what of each line came with no record; and no receipt of a refused record stays.

    skipped: entries that no record came with; credit: those still to come, of batches that came empty.
    """
    db.conn.execute("ALTER TABLE receipt_lines ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0")
    db.conn.execute("ALTER TABLE receipt_lines ADD COLUMN credit INTEGER NOT NULL DEFAULT 0")
    db.conn.execute("DELETE FROM receipts WHERE NOT accepted")


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


def tells(connection: sqlite3.Connection, school_id: int) -> bool:
    """Whether the school's agent ever told an entry: then each of its records has one."""
    row = connection.execute("SELECT 1 FROM receipt_lines WHERE school_id = ?", (school_id,)).fetchone()
    return row is not None


def keep(connection: sqlite3.Connection, school_id: int, told: Sequence[Entry | None], at: float) -> int:
    """Keep these entries, in the order they came, at hub time `at`; how often they broke the line.

    None stands for a batch that came empty. The line is broken by an entry that does not come after the
    newest one known, comes next and does not follow from it, or leaves out more than was withdrawn: the
    school's agent went back to an older state, or another one speaks in its place. What it brings is kept
    all the same, and counted.
    """
    row = connection.execute(
        "SELECT seq, chain, credit FROM receipt_lines WHERE school_id = ?", (school_id,)
    ).fetchone()
    entries = [entry for entry in told if entry]
    if not told or (row is None and not entries):
        return 0
    line = _Line(*row) if row else _Line()
    for entry in told:
        line.follow(entry)
    connection.executemany(
        "INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT DO NOTHING",
        (
            (school_id, e.seq, e.chain, e.sha256, e.kind, e.about, e.size, at)
            for e in entries
            if e.accepted and e.kind in (LESSON, WEEK)
        ),
    ).close()
    connection.execute(
        "INSERT INTO receipt_lines (school_id, seq, chain, broken, last_broken, skipped, credit)"
        " VALUES (?1, ?2, ?3, ?4, iif(?4, ?5, NULL), ?6, ?7)"
        " ON CONFLICT (school_id) DO UPDATE SET seq = ?2, chain = ?3, broken = broken + ?4,"
        " last_broken = iif(?4, ?5, last_broken), skipped = skipped + ?6, credit = ?7",
        (school_id, line.seq, line.chain, line.broken, at, line.skipped, line.credit),
    ).close()
    if line.broken:
        alarms.of_broken_line(connection, school_id, at, line.broken)
    return line.broken


@dataclass(slots=True)
class _Line:
    """Where a school's log is: its newest entry (0 before the first), and what it may leave out unsaid."""

    seq: int = 0
    chain: str = ""
    credit: int = 0
    skipped: int = 0
    broken: int = 0

    def follow(self, entry: Entry | None) -> None:
        """The next batch of the school, or None for one without a record."""
        if entry is None:
            self.credit += ENTRIES
            return
        gap = entry.seq - self.seq - 1
        if self.chain and (gap < 0 or (gap == 0 and entry.before != self.chain)):
            self.broken += 1
        elif self.chain:
            self.skipped += gap
            self.broken += gap > self.credit + UNDER_WAY
            self.credit = max(0, self.credit - gap)
        self.seq, self.chain = entry.seq, entry.chain


def _about(told: Record | _Lesson | _Week | _Status) -> tuple[str, str]:
    if isinstance(told, LessonRecord | _Lesson):
        start = int(datetime.fromisoformat(told.start).timestamp())
        return LESSON, f"{told.class_} {start} {told.revision}"
    if isinstance(told, WeekRecord | _Week):
        return WEEK, f"{told.week} {told.grade_band}"
    return "status", ""
