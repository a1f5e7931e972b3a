"""What closed windows could see: sums of the newest week, and which features each kind of window lacks."""

import sqlite3
from dataclasses import fields
from typing import Any

from edge_agent.sight.blind_spot import Sight
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
    sums = {field.name: int(sum(row[field.name] for row in found)) for field in fields(Sight)}
    return {
        "week": week,
        **Sight(**sums).told(),
        "windows": [_kinds(row["kinds"], row["lessons"]) for row in found],
    }


def _kinds(kinds: str, windows: int) -> dict[str, Any]:
    names = [name for name in kinds.split() if name in SOURCE_KINDS]
    seen = visible(names)
    return {
        "windows": windows,
        "sights": {name: SOURCE_KINDS[name].name.lower() for name in names},
        "missing": [name for name, sees in zip(FEATURES, seen.tolist(), strict=True) if not sees],
    }
