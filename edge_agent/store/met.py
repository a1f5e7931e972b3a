"""What was met in lessons, by day: shares that the catalogue knows, and names it does not know.

A name comes here only once ten devices or more asked for it on a day; which devices those are never does.
"""

import sqlite3
from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from edge_agent.placing.parcel import Met

if TYPE_CHECKING:
    from sqlite_utils import Database

MOST_NAMES: Final = 5_000  # a day: room on the disk is not for whoever makes names
DAYS_KEPT: Final = 60


class Share(NamedTuple):
    """Contacts in lessons of one local day; `listed` without those off task."""

    day: str
    listed: int
    off_task: int
    unlisted: int
    background: int

    @property
    def known(self) -> float | None:
        """Which share of what is use, or may be, the catalogue knows."""
        use = self.listed + self.off_task + self.unlisted
        return (self.listed + self.off_task) / use if use else None


class Unlisted(NamedTuple):
    """A registered name: contacts on days when ten or more devices asked for it, and the most in a day."""

    domain: str
    contacts: int
    devices: int
    days: int


def add_tables(db: "Database") -> None:
    """A migration step."""
    for statement in _TABLES:
        db.execute(statement)


_TABLES: Final = (
    """CREATE TABLE met (
        day TEXT PRIMARY KEY, listed INTEGER NOT NULL, off_task INTEGER NOT NULL, unlisted INTEGER NOT NULL,
        background INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE unlisted_days (
        day TEXT NOT NULL, domain TEXT NOT NULL, contacts INTEGER NOT NULL, devices INTEGER NOT NULL,
        PRIMARY KEY (day, domain)) WITHOUT ROWID""",
    "CREATE TABLE catalogue_places (number INTEGER PRIMARY KEY, place TEXT NOT NULL)",
)


def add(connection: sqlite3.Connection, told: Iterable[Met]) -> None:
    """Count what parcels told, of days that are not forgotten yet."""
    for met in told:
        connection.execute(
            """INSERT INTO met (day, listed, off_task, unlisted, background) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT (day) DO UPDATE SET listed = listed + excluded.listed,
               off_task = off_task + excluded.off_task, unlisted = unlisted + excluded.unlisted,
               background = background + excluded.background""",
            (met.day, met.listed, met.off_task, met.unlisted, met.background),
        )
        if met.names:
            _add_names(connection, met)


def _add_names(connection: sqlite3.Connection, met: Met) -> None:
    (names,) = connection.execute("SELECT count(*) FROM unlisted_days WHERE day = ?", (met.day,)).fetchone()
    connection.executemany(
        """INSERT INTO unlisted_days (day, domain, contacts, devices) SELECT ?1, ?2, ?3, ?4
           WHERE ?5 OR EXISTS (SELECT 1 FROM unlisted_days WHERE day = ?1 AND domain = ?2)
           ON CONFLICT (day, domain) DO UPDATE SET contacts = contacts + excluded.contacts,
           devices = max(devices, excluded.devices)""",
        [(met.day, name, n, devices, names < MOST_NAMES) for name, (n, devices) in met.names.items()],
    )


def forget(connection: sqlite3.Connection, day: str) -> None:
    """Drop what is two months older than this local day."""
    oldest = (date.fromisoformat(day) - timedelta(DAYS_KEPT)).isoformat()
    for table in ("met", "unlisted_days"):
        connection.execute(f"DELETE FROM {table} WHERE day < ?", (oldest,))  # noqa: S608 - two names above


def shares(connection: sqlite3.Connection, days: int = 14) -> list[Share]:
    """The newest days, the newest first."""
    found = connection.execute(
        "SELECT day, listed, off_task, unlisted, background FROM met ORDER BY day DESC LIMIT ?", (days,)
    )
    return [Share(*row) for row in found]


def top_unlisted(connection: sqlite3.Connection, days: int = 7, most: int = 100) -> list[Unlisted]:
    """Names that ten or more devices asked for on one of the newest days, most contacts first."""
    found = connection.execute(
        """SELECT domain, sum(contacts), max(devices), count(*) FROM unlisted_days
           WHERE day IN (SELECT day FROM met ORDER BY day DESC LIMIT ?)
           GROUP BY domain ORDER BY 2 DESC, 1 LIMIT ?""",
        (days, most),
    )
    return [Unlisted(*row) for row in found]
