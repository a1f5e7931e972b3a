"""What apps were asked for while the school slept: by app and local day, with no device behind it."""

import sqlite3
from collections.abc import Sequence
from datetime import date, timedelta
from math import isfinite
from typing import Final

from edge_agent.idle.nights import DAYS_LEARNT_FROM, Night, talkers
from edge_agent.placing.parcel import Idle
from shared.errors import BadInput

KEPT_DAYS: Final = 2 * DAYS_LEARNT_FROM
MOST: Final = 1 << 32
HOURS_A_DAY: Final = 25  # of the day on which the clock is set back


def check(idle: Idle, apps: int) -> None:
    """Raises BadInput for numbers that no count comes to."""
    honest = isfinite(idle.rests) and 0 < idle.rests <= HOURS_A_DAY
    for app, (contacts, devices) in idle.counts.items():
        honest = honest and 0 <= app <= apps and 0 <= devices <= contacts < MOST
    if not honest:
        raise BadInput("idle_malformed", "counts that no collector makes")


def add(connection: sqlite3.Connection, told: Sequence[Idle]) -> None:
    """Add to what is known of these days."""
    if not told:
        return
    connection.executemany(
        """INSERT INTO idle (day, app, rests, contacts, devices) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (day, app) DO UPDATE SET rests = max(rests, excluded.rests),
           contacts = contacts + excluded.contacts, devices = devices + excluded.devices""",
        [(idle.day, app, idle.rests, *counts) for idle in told for app, counts in idle.counts.items()],
    ).close()
    oldest = date.fromisoformat(max(idle.day for idle in told)) - timedelta(KEPT_DAYS)
    connection.execute("DELETE FROM idle WHERE day < ?", (oldest.isoformat(),))


def idle_talkers(connection: sqlite3.Connection, day: date) -> frozenset[int]:
    """Apps that talk by themselves, as the nights up to that day's own have shown."""
    found = connection.execute(
        "SELECT app, contacts, devices, rests FROM idle WHERE day > ? AND day <= ?",
        ((day - timedelta(DAYS_LEARNT_FROM)).isoformat(), day.isoformat()),
    )
    return talkers(Night(*row) for row in found)


def nights_told(connection: sqlite3.Connection) -> list[Idle]:
    """All that is known of days and nights at rest, as it might be told again."""
    found: dict[tuple[str, float], dict[int, tuple[int, int]]] = {}
    for day, rests, app, *counts in connection.execute("SELECT day, rests, app, contacts, devices FROM idle"):
        found.setdefault((day, rests), {})[app] = counts[0], counts[1]
    return [Idle(day, rests, apps) for (day, rests), apps in found.items()]


def put(connection: sqlite3.Connection, told: Sequence[Idle]) -> None:
    """What is told stands in place of what was known of its days."""
    connection.executemany("DELETE FROM idle WHERE day = ?", [(idle.day,) for idle in told]).close()
    add(connection, told)
