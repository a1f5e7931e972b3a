"""The district's entries of the app catalogue, each version kept: schools ask for the newest."""

import sqlite3
from typing import TYPE_CHECKING, Final

from models.catalogue.overlay import District, Overlay, decode_district, encode_district, overlay_version

if TYPE_CHECKING:
    from sqlite_utils import Database

ASKED: Final = "catalogue"


def add_table(db: "Database") -> None:
    """A migration step."""
    db.table("catalogue").create(
        {"number": int, "at": float, "data": bytes}, pk="number", not_null={"at", "data"}
    )


def newest(connection: sqlite3.Connection) -> bytes | None:
    """The newest version as it goes down the link; None where the district has never said anything."""
    row = connection.execute("SELECT data FROM catalogue ORDER BY number DESC LIMIT 1").fetchone()
    return None if row is None else bytes(row[0])


def current(connection: sqlite3.Connection) -> District | None:
    """The newest version; an empty overlay after it was cleared."""
    data = newest(connection)
    return None if data is None else decode_district(data)


def put(connection: sqlite3.Connection, overlay: Overlay, at: float) -> District:
    """A new version with the next number; the one there is where it says the same."""
    before = current(connection)
    if before is not None and before.overlay == overlay:
        return before
    said = District(1 if before is None else before.number + 1, overlay_version(overlay), overlay)
    connection.execute("INSERT INTO catalogue VALUES (?, ?, ?)", (said.number, at, encode_district(said)))
    return said
