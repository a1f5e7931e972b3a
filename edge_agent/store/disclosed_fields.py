"""Which fields the disclosed records really held, counted as each one is logged: names, never values."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind of record: in how many records, and the first and last day (UTC) it was in one."""

    kind: str
    name: str
    records: int
    first: str
    last: str


def fields_of(payload: bytes) -> frozenset[str]:
    """The fields of a record that say something: `features.dwell_min`, `placements[].low`; no null."""
    return frozenset(_walk("", json.loads(payload)))


def count(connection: sqlite3.Connection, *, at: str, kind: str, payload: bytes) -> None:
    """Add one record."""
    try:
        found = fields_of(payload)
    except ValueError:  # no JSON: it has no fields that could be named
        return
    day = at[:10]
    connection.executemany(
        "INSERT INTO disclosed_fields VALUES (?, ?, 1, ?, ?) ON CONFLICT (kind, name) DO UPDATE SET"
        " records = records + 1, first = min(first, excluded.first), last = max(last, excluded.last)",
        [(kind, name, day, day) for name in sorted(found)],
    )


def read(connection: sqlite3.Connection) -> list[Field]:
    """All of them, by kind and name."""
    found = connection.execute("SELECT kind, name, records, first, last FROM disclosed_fields ORDER BY 1, 2")
    return [Field(*row) for row in found]


def _walk(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(f"{path}.{name}".lstrip("."), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(f"{path}[]", inner)
    elif value is not None:
        yield path
