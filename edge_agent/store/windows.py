"""Closed windows in the store: what is known of them, what of them left, and the signals behind them."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import msgspec

from edge_agent.days import week_name
from edge_agent.leaving.records import week_lesson
from edge_agent.lessons.windows import ClosedWindow, WindowKey
from edge_agent.sight.visibility import Span
from edge_agent.store import app_days, met
from edge_agent.store.counts import add_counts

VERDICTS = ("placed", "thin", "evidence_only")
LONGEST = 2 * 86400  # seconds; a lesson ends on the local day that it begins on


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of a window: batches seen, revisions handed over, the last one's newest batch."""

    upto_batch: int = 0
    revision: int = 0
    sent_batch: int | None = None


@dataclass(frozen=True, slots=True)
class Bell:
    """Closed windows of one start: `end` of the longest, `upto` the batch that none of them lacks."""

    start: int
    end: int
    upto: int


def known_window(connection: sqlite3.Connection, key: WindowKey) -> Known | None:
    """What is known of a window; None of one that was never closed."""
    row = connection.execute(
        "SELECT upto_batch, revision, sent_batch FROM windows WHERE class_code = ? AND start = ?",
        (key.class_code, key.start),
    ).fetchone()
    return None if row is None else Known(*row)


def bells(connection: sqlite3.Connection, day: str) -> list[Bell]:
    """The closed windows of a local day, by start."""
    found = connection.execute(
        "SELECT start, max(ends), min(upto_batch) FROM windows WHERE day = ? GROUP BY start", (day,)
    )
    return [Bell(*row) for row in found]


def newest_end(connection: sqlite3.Connection) -> int:
    """When the closed window that ends last does; 0 without any."""
    (end,) = connection.execute(
        "SELECT coalesce(max(ends), 0) FROM windows WHERE day = (SELECT max(day) FROM windows)"
    ).fetchone()
    return int(end)


def closed_in(
    connection: sqlite3.Connection, code: str, first: int, last: int, batch: int
) -> dict[WindowKey, int]:
    """Windows of a class that meet these seconds and were closed without the batch; when each ends."""
    found = connection.execute(
        """SELECT start, ends FROM windows
           WHERE class_code = ? AND start BETWEEN ? AND ? AND ends > ? AND upto_batch < ?""",
        (code, first - LONGEST, last, first, batch),
    )
    return {WindowKey(code, start): end for start, end in found}


def heard(connection: sqlite3.Connection, key: WindowKey) -> dict[int, Span]:
    """The devices (as SQLite has them) that any source could hear in a lesson, and from when to when."""
    return _spans(connection, "heard", key)


def present(connection: sqlite3.Connection, key: WindowKey) -> dict[int, Span]:
    """The devices that were there in a lesson without saying anything that tells of use."""
    return _spans(connection, "present", key)


def _spans(connection: sqlite3.Connection, table: str, key: WindowKey) -> dict[int, Span]:
    found = connection.execute(
        f"SELECT device, first, last FROM {table} WHERE class_code = ? AND start = ?",  # noqa: S608 - two names
        (key.class_code, key.start),
    )
    return {device: (first, last) for device, first, last in found}


def heard_before(
    connection: sqlite3.Connection, day: str, start: int, devices: Iterable[int]
) -> frozenset[int]:
    """Which of these devices were heard in any lesson of a local day that began before."""
    found = "SELECT 1 FROM heard WHERE day = ? AND device = ? AND start < ? LIMIT 1"
    return frozenset(
        device for device in devices if connection.execute(found, (day, device, start)).fetchone()
    )


def stored_days(connection: sqlite3.Connection) -> list[date]:
    """Local days that have signals, or devices that were heard."""
    days = {day for table in _WITH_DAYS for (day,) in connection.execute(_DAYS.format(table))}
    return sorted(date.fromisoformat(day) for day in days)


_WITH_DAYS = ("batches", "heard", "present")

# From one day to the next by the index's edges: not a look at every row.
_DAYS = """WITH RECURSIVE found(day) AS (
    SELECT min(day) FROM {0}
    UNION ALL SELECT (SELECT min(day) FROM {0} WHERE day > found.day) FROM found WHERE day IS NOT NULL)
    SELECT day FROM found WHERE day IS NOT NULL"""


def pass_over(connection: sqlite3.Connection, key: WindowKey, upto: int, held: str) -> None:
    """The window has signals up to batch `upto` that change nothing of what it stands for."""
    connection.execute(
        "UPDATE windows SET upto_batch = ?, held_back = ? WHERE class_code = ? AND start = ?",
        (upto, held, key.class_code, key.start),
    )


def put(
    connection: sqlite3.Connection,
    day: date,
    window: ClosedWindow,
    kinds: frozenset[str],
    known: Known,
    held: str | None,
) -> None:
    """Store a window in its newest form."""
    verdicts = [placement.verdict for placement in window.placements]
    connection.execute(
        """INSERT OR REPLACE INTO windows (class_code, start, ends, day, week, grade_band, devices,
           placed, thin, evidence_only, upto_batch, window, held_back, revision, sent_batch,
           kinds, expected, visible, bypassed, acted)
           VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)""",
        (
            window.key.class_code,
            window.key.start,
            window.lesson.end,
            day.isoformat(),
            week_name(day),
            window.lesson.school_class.grade_band,
            window.devices,
            *(sum(found == verdict for found in verdicts) for verdict in VERDICTS),
            known.upto_batch,
            msgspec.json.encode(week_lesson(window, kinds)),
            held,
            known.revision,
            known.sent_batch,
            " ".join(sorted(kinds)),
            window.expected * (window.lesson.end - window.key.start),
            window.seen.seconds,
            window.seen.bypassed,
            window.acted,
        ),
    )
    connection.execute(
        "UPDATE schedule SET closed = 1 WHERE class_code = ? AND start = ? AND NOT closed",
        (window.key.class_code, window.key.start),
    )


def remember_number(connection: sqlite3.Connection, key: WindowKey, number: int) -> None:
    """A record of this window was handed over as batch `number` of the outbox."""
    connection.execute("INSERT INTO lesson_numbers VALUES (?, ?, ?)", (number, key.class_code, key.start))


def forget_day(connection: sqlite3.Connection, *, day: str, orphans: int) -> int:
    """Delete the signals of a local day for good; `orphans` of them were in no closed window.

    Returns the newest batch that is left: later ones are numbered from there.
    """
    if orphans:
        add_counts(connection, "lessons", {"late": {"lesson_changed": orphans}})
    connection.execute("DELETE FROM batches WHERE day = ?", (day,))
    connection.execute("DELETE FROM heard WHERE day = ?", (day,))
    connection.execute("DELETE FROM present WHERE day = ?", (day,))
    met.forget(connection, day)
    app_days.forget_before(connection, day)
    connection.execute("INSERT OR IGNORE INTO forgotten VALUES (?)", (day,))
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM batches").fetchone()
    return int(newest)
