"""Taking out what came from a school since some time: for a key that was in the wrong hands meanwhile."""

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.store import alarms, enrolments
from hub.store.enrolments import School
from hub.store.receipts import LESSON
from shared.errors import UsageError

if TYPE_CHECKING:
    from sqlite_utils import Database

# What an older program received has no time of its own, but for its receipt.
_LESSONS: Final = """
SELECT id, class || ' ' || start_s FROM lessons WHERE school_id = ?1 AND (received >= ?2
    OR class || ' ' || start_s || ' ' || revision IN
        (SELECT about FROM receipts WHERE school_id = ?1 AND kind = 'lesson' AND at >= ?2))
"""
_WEEKS: Final = """
SELECT id, week || ' ' || grade_band FROM weeks WHERE school_id = ?1 AND (received >= ?2
    OR week || ' ' || grade_band IN
        (SELECT about FROM receipts WHERE school_id = ?1 AND kind = 'week' AND at >= ?2))
"""
_DELETE_LESSONS: Final = ("DELETE FROM placements WHERE lesson_id = ?", "DELETE FROM lessons WHERE id = ?")
_DELETE_WEEKS: Final = ("DELETE FROM week_placements WHERE week_id = ?", "DELETE FROM weeks WHERE id = ?")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many lessons and weeks; `earlier` revisions of these lessons came before, and are gone as well."""

    lessons: int
    weeks: int
    earlier: int


def add_received(db: "Database") -> None:
    """A migration step: by hub time, when a lesson or week came; NULL for those of an older program."""
    for table in ("lessons", "weeks"):
        db.conn.execute(f"ALTER TABLE {table} ADD COLUMN received REAL")


def forget(connection: sqlite3.Connection, school: School, since: float, now: float) -> Forgotten:
    """Remove the lessons and weeks that came since then, and their receipts, in the caller's transaction.

    Raises UsageError while a key still speaks for the school: what was removed could come again at once.
    """
    if enrolments.active_keys(connection, school.id):
        raise UsageError(f"{school.name} can still send: `revoke` it first, and `invite` it again afterwards")
    lessons: list[tuple[int, str]] = connection.execute(_LESSONS, (school.id, since)).fetchall()
    weeks: list[tuple[int, str]] = connection.execute(_WEEKS, (school.id, since)).fetchall()
    for statements, rows in ((_DELETE_LESSONS, lessons), (_DELETE_WEEKS, weeks)):
        for statement in statements:
            connection.executemany(statement, [(number,) for number, _ in rows]).close()
    connection.execute("DELETE FROM receipts WHERE school_id = ? AND at >= ?", (school.id, since)).close()
    earlier = _receipts_of(connection, school.id, {about for _, about in (*lessons, *weeks)})
    connection.executemany(
        "DELETE FROM receipts WHERE school_id = ? AND seq = ? AND chain = ?",
        [(school.id, *entry) for entry in earlier],
    ).close()
    alarms.raise_alarm(connection, school.id, alarms.FORGOTTEN, alarms.UNNAMED, now)
    return Forgotten(len(lessons), len(weeks), len(earlier))


def _receipts_of(connection: sqlite3.Connection, school_id: int, about: set[str]) -> list[tuple[int, str]]:
    """The receipts left of these weeks, and of any revision of these lessons."""
    found = connection.execute(
        "SELECT seq, chain, kind, about FROM receipts WHERE school_id = ?", (school_id,)
    )
    return [
        (seq, chain)
        for seq, chain, kind, what in found
        if (what.rpartition(" ")[0] if kind == LESSON else what) in about
    ]
