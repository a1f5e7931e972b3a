"""Closed windows in the store: what is known of them, what of them left, and the signals behind them."""

import sqlite3
from dataclasses import dataclass
from datetime import date

import msgspec

from edge_agent.days import week_name
from edge_agent.records import week_lesson
from edge_agent.store.counts import add_counts
from edge_agent.windows import ClosedWindow, WindowKey

VERDICTS = ("placed", "thin", "evidence_only")


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of a window: batches seen, revisions handed over, the last one's newest batch."""

    upto_batch: int = 0
    revision: int = 0
    sent_batch: int | None = None


def known_windows(connection: sqlite3.Connection, day: date) -> dict[WindowKey, Known]:
    """Every window of a local day that was closed."""
    found = connection.execute(
        "SELECT class_code, start, upto_batch, revision, sent_batch FROM windows WHERE day = ?",
        (day.isoformat(),),
    )
    return {WindowKey(code, start): Known(*rest) for code, start, *rest in found}


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
           placed, thin, evidence_only, upto_batch, window, held_back, revision, sent_batch)
           VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)""",
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
        ),
    )


def remember_number(connection: sqlite3.Connection, key: WindowKey, number: int) -> None:
    """A record of this window was handed over as batch `number` of the outbox."""
    connection.execute("INSERT INTO lesson_numbers VALUES (?, ?, ?)", (number, key.class_code, key.start))


def forget_day(connection: sqlite3.Connection, *, day: str, orphans: int) -> None:
    """Delete the signals of a local day for good; `orphans` of them were in no closed window."""
    if orphans:
        add_counts(connection, "lessons", {"late": {"lesson_changed": orphans}})
    batches = "SELECT id FROM batches WHERE day = ?"
    connection.execute(f"DELETE FROM batch_classes WHERE batch IN ({batches})", (day,))  # noqa: S608 - a constant
    connection.execute("DELETE FROM batches WHERE day = ?", (day,))
    connection.execute("DELETE FROM heard WHERE day = ?", (day,))
    connection.execute("INSERT OR IGNORE INTO forgotten VALUES (?)", (day,))
