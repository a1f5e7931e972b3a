"""What each record was disclosed as: the entry of the school's own log that came with it, kept beside it.

Entries of lessons and weeks that were taken stay, so that what the hub holds can be compared with what was
disclosed; of a record that leaves nothing to compare only the place in the line.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from hub.store import acceptance, alarms, many
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


_INTO_LINES: Final = "INSERT INTO receipt_lines (school_id, seq, chain, broken, last_broken, skipped, credit)"
_ADVANCED: Final = (
    "ON CONFLICT (school_id) DO UPDATE SET seq = excluded.seq, chain = excluded.chain,"
    " broken = broken + excluded.broken, last_broken = coalesce(excluded.last_broken, last_broken),"
    " skipped = skipped + excluded.skipped, credit = excluded.credit"
)

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


@dataclass(slots=True)
class Line:
    """Where a school's log is: its newest entry (0 before the first), and what it may leave out unsaid.

    `skipped` and `broken` are those of one group of deliveries.
    """

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


def line_of(connection: sqlite3.Connection, school_id: int) -> Line | None:
    """Where the school's log is; None while its agent never told an entry."""
    row = connection.execute(
        "SELECT seq, chain, credit FROM receipt_lines WHERE school_id = ?", (school_id,)
    ).fetchone()
    return Line(*row) if row else None


def keep(connection: sqlite3.Connection, school_id: int, told: Sequence[Entry | None], at: float) -> int:
    """`keep_all` of one school; how often its entries broke the line."""
    line = line_of(connection, school_id)
    if not told or (line is None and not any(told)):
        return 0
    line = line or Line()
    keep_all(connection, [(school_id, line, told)], at)
    return line.broken


def keep_all(
    connection: sqlite3.Connection, told: Iterable[tuple[int, Line, Sequence[Entry | None]]], at: float
) -> None:
    """Keep the entries of each school, in the order they came, at hub time `at`; its line follows them.

    None stands for a batch that came empty. The line is broken by an entry that does not come after the
    newest one known, comes next and does not follow from it, or leaves out more than was withdrawn: the
    school's agent went back to an older state, or another one speaks in its place. What it brings is kept
    all the same, and counted.
    """
    receipts, lines = [], []
    for school_id, line, entries in told:
        for e in entries:
            line.follow(e)
            if e and e.accepted and e.kind in (LESSON, WEEK):
                receipts.append((school_id, e.seq, e.chain, e.sha256, e.kind, e.about, e.size, 1, at))
        broken_at = at if line.broken else None
        lines.append((school_id, line.seq, line.chain, line.broken, broken_at, line.skipped, line.credit))
        if line.broken:
            alarms.of_broken_line(connection, school_id, at, line.broken)
    many.insert(connection, "INSERT INTO receipts", receipts, 9, "ON CONFLICT DO NOTHING")
    many.insert(connection, _INTO_LINES, lines, 7, _ADVANCED)


def _about(told: Record | _Lesson | _Week | _Status) -> tuple[str, str]:
    if isinstance(told, LessonRecord | _Lesson):
        start = int(acceptance.epoch(told.start))
        return LESSON, f"{told.class_} {start} {told.revision}"
    if isinstance(told, WeekRecord | _Week):
        return WEEK, f"{told.week} {told.grade_band}"
    return "status", ""
