"""What closed windows could see: sums of the newest week, and which features each kind of window lacks."""

import sqlite3
from typing import Any

from edge_agent.blind_spot import told_minutes
from models.features.set1 import FEATURES, visible
from shared.words import SOURCE_KINDS

_SUMS = """SELECT kinds, count(*) AS lessons, total(acted > 0) AS reporting, total(expected) AS expected,
    total(visible) AS seen, total(min(bypassed * (ends - start), expected - visible)) AS past,
    total(bypassed) AS bypassed, total(min(acted * (ends - start), expected)) AS acted
    FROM windows WHERE week = ? AND kinds != '' GROUP BY kinds ORDER BY kinds"""


def read(connection: sqlite3.Connection) -> dict[str, Any]:
    """Of the newest week that has closed windows: device-minutes, and windows by what their sources see."""
    (week,) = connection.execute("SELECT max(week) FROM windows").fetchone()
    found = connection.execute(_SUMS, (week,)).fetchall()
    sums = [int(sum(row[at] for row in found)) for at in range(1, 8)]
    lessons, reporting, expected, seen, past, bypassed, acted = sums
    return {
        "week": week,
        "lessons": lessons,
        **told_minutes(expected, seen, past),
        "bypassed": bypassed,
        "reporting_lessons": reporting,
        "reported_minutes": round(acted / 60),
        "windows": [_kinds(row[0], row[1]) for row in found],
    }


def _kinds(kinds: str, windows: int) -> dict[str, Any]:
    names = [name for name in kinds.split() if name in SOURCE_KINDS]
    seen = visible(names)
    return {
        "windows": windows,
        "sights": {name: SOURCE_KINDS[name].name.lower() for name in names},
        "missing": [name for name, sees in zip(FEATURES, seen.tolist(), strict=True) if not sees],
    }
