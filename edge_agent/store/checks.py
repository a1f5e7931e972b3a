"""The newest check's findings, and which of them somebody has ticked off."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from edge_agent.check.findings import Finding, is_same

if TYPE_CHECKING:
    from sqlite_utils import Database

_json = msgspec.json.Encoder()


def add_tables(db: "Database") -> None:
    """Findings in their order, ticks by the finding that was ticked; no device, no learner in either."""
    db.execute(
        """CREATE TABLE findings (
            place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, finding TEXT NOT NULL)"""
    )
    db.execute("CREATE TABLE ticks (id TEXT PRIMARY KEY, at INTEGER NOT NULL, finding TEXT NOT NULL)")


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding of the newest check, when that was (seconds UTC), and whether somebody ticked it off."""

    finding: Finding
    at: int
    ticked: bool


def keep(connection: sqlite3.Connection, findings: Iterable[Finding], now: float) -> None:
    """The result of a check in place of the one before; ticks of findings that changed are gone."""
    connection.execute("DELETE FROM findings")
    found = [msgspec.structs.replace(finding, examples=()) for finding in findings]
    connection.executemany(
        "INSERT OR IGNORE INTO findings VALUES (?, ?, ?, ?)",
        [(place, one.id, int(now), _json.encode(one).decode()) for place, one in enumerate(found)],
    )
    by_id = {one.id: one for one in found}
    for name, text in connection.execute("SELECT id, finding FROM ticks").fetchall():
        before = msgspec.json.decode(text, type=Finding)
        if name not in by_id or not is_same(before, by_id[name]):
            connection.execute("DELETE FROM ticks WHERE id = ?", (name,))


def listed(connection: sqlite3.Connection) -> list[Kept]:
    """The newest check's findings, in its order."""
    rows = connection.execute(
        """SELECT f.finding, f.at, t.id IS NOT NULL FROM findings f LEFT JOIN ticks t ON t.id = f.id
           ORDER BY f.place"""
    )
    return [Kept(msgspec.json.decode(text, type=Finding), at, bool(ticked)) for text, at, ticked in rows]


def last(connection: sqlite3.Connection) -> float | None:
    """When the newest check was, in seconds UTC; None before the first."""
    (found,) = connection.execute("SELECT max(at) FROM findings").fetchone()
    return None if found is None else float(found)


def tick(connection: sqlite3.Connection, name: str, now: float, *, on: bool) -> bool:
    """Tick a finding off, or take that back; whether there is such a finding."""
    row = connection.execute("SELECT finding FROM findings WHERE id = ?", (name,)).fetchone()
    if row is None:
        return False
    if on:
        connection.execute("INSERT OR REPLACE INTO ticks VALUES (?, ?, ?)", (name, int(now), row[0]))
    else:
        connection.execute("DELETE FROM ticks WHERE id = ?", (name,))
    return True
