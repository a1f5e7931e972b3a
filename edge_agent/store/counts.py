"""What was counted: refusals and misses by reason, signals by minute, and a capped quarantine."""

import sqlite3
from collections.abc import Iterable, Mapping

QUARANTINE_KEPT = 500
MINUTES_KEPT = 36 * 60


def add_counts(connection: sqlite3.Connection, source: str, counts: Mapping[str, Mapping[str, int]]) -> None:
    """Add `what -> reason -> number` for a source."""
    connection.executemany(
        """INSERT INTO counts VALUES (?, ?, ?, ?)
           ON CONFLICT (source, what, reason) DO UPDATE SET n = n + excluded.n""",
        [(source, what, reason, n) for what, reasons in counts.items() for reason, n in reasons.items()],
    )


def add_minutes(connection: sqlite3.Connection, minutes: Iterable[tuple[int, int]]) -> None:
    """Add signals by minute since 1970."""
    connection.executemany(
        "INSERT INTO minutes VALUES (?, ?) ON CONFLICT (minute) DO UPDATE SET n = n + excluded.n", minutes
    )


def forget_minutes(connection: sqlite3.Connection, now: float) -> None:
    """Drop minutes older than a day and a half."""
    connection.execute("DELETE FROM minutes WHERE minute < ?", (int(now // 60) - MINUTES_KEPT,))


def quarantine(
    connection: sqlite3.Connection, at: float, source: str, excerpts: Iterable[tuple[str, str]]
) -> None:
    """Keep the shapes of refused input, the newest few hundred."""
    connection.executemany(
        "INSERT INTO quarantine (at, source, reason, excerpt) VALUES (?, ?, ?, ?)",
        [(int(at), source, reason, excerpt) for reason, excerpt in excerpts],
    )
    connection.execute(
        "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?", (QUARANTINE_KEPT,)
    )
