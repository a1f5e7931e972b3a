"""What the hub says it holds, next to the school's own log: its newest entry, compared at each WELCOME."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from shared import disclosure
from shared.disclosure import GENESIS
from shared.errors import BadInput

if TYPE_CHECKING:
    from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Held:
    """The hub's newest entry when it was last asked, on `day`: is it the log's own?

    `differed` counts the times it was not, the last on the day `last_differed`.
    """

    seq: int
    agrees: bool
    day: str
    differed: int
    last_differed: str | None


def create_table(db: "Database") -> None:
    """A migration step: one row at most."""
    db.execute(
        """CREATE TABLE held_by_hub (
            id INTEGER PRIMARY KEY CHECK (id = 1), at TEXT NOT NULL, seq INTEGER NOT NULL,
            agrees INTEGER NOT NULL, differed INTEGER NOT NULL, last_differed TEXT)"""
    )


def compare(connection: sqlite3.Connection, position: bytes, at: str) -> bool:
    """Whether the entry that the hub tells is the log's own; remembered at this time (RFC 3339)."""
    seq, agrees = _compare(connection, position)
    connection.execute(
        "INSERT INTO held_by_hub VALUES (1, ?1, ?2, ?3, NOT ?3, iif(?3, NULL, ?1)) ON CONFLICT (id) DO UPDATE"
        " SET at = ?1, seq = ?2, agrees = ?3, differed = differed + NOT ?3,"
        " last_differed = iif(?3, last_differed, ?1)",
        (at, seq, int(agrees)),
    )
    return agrees


def read(connection: sqlite3.Connection, zone: tzinfo) -> Held | None:
    """The last comparison, days in the school's zone; None before the first."""
    row = connection.execute("SELECT seq, agrees, at, differed, last_differed FROM held_by_hub").fetchone()
    if row is None:
        return None
    return Held(row[0], bool(row[1]), _day(row[2], zone), row[3], row[4] and _day(row[4], zone))


def _day(at: str, zone: tzinfo) -> str:
    return datetime.fromisoformat(at).astimezone(zone).date().isoformat()


def _compare(connection: sqlite3.Connection, position: bytes) -> tuple[int, bool]:
    try:
        told = disclosure.unpack(position)
    except BadInput:
        return 0, False
    rows = connection.execute(
        "SELECT seq, at, kind, number, chain FROM disclosures WHERE seq BETWEEN ? - 1 AND ? ORDER BY seq",
        (told.seq, told.seq),
    ).fetchall()
    own = next((tuple(row[1:]) for row in rows if row[0] == told.seq), None)
    before = next((row[4] for row in rows if row[0] == told.seq - 1), GENESIS)
    return told.seq, own == (
        told.at,
        told.kind,
        told.number,
        told.chain.hex(),
    ) and before == told.before.hex()
