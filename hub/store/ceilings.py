"""How much of one school a day may bring in, by hub time, so that no school fills the disk of all."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlite_utils import Database

LESSONS: Final = "lessons"
BYTES: Final = "bytes"
REFUSED: Final = "refused"

# Sixty shared classes make about 300 lesson records of 3 KiB a day: a term offline comes in within a week.
DAILY: Final[Mapping[str, int]] = MappingProxyType({LESSONS: 5_000, BYTES: 64 * 1024 * 1024, REFUSED: 5_000})
REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {LESSONS: "put_off_daily_lessons", BYTES: "put_off_daily_bytes", REFUSED: "put_off_daily_refused"}
)

_RETRY_MOST_MS: Final = 30 * 60 * 1000
_RETRY_LEAST_MS: Final = 60 * 1000


@dataclass(slots=True)
class Intake:
    """What a school has brought in on one day: new lessons, bytes of all records, and refused ones."""

    day: str
    lessons: int = 0
    size: int = 0
    refused: int = 0

    def add(self, size: int, *, lesson: bool = False, refused: bool = False) -> None:
        """One more record."""
        self.lessons += lesson
        self.size += size
        self.refused += refused

    def full(self, ceilings: Mapping[str, int]) -> str | None:
        """Why nothing more is taken today, or None."""
        if self.lessons >= ceilings[LESSONS]:
            return REASONS[LESSONS]
        if self.size >= ceilings[BYTES]:
            return REASONS[BYTES]
        return REASONS[REFUSED] if self.refused >= ceilings[REFUSED] else None


def day_of(now: float) -> str:
    """The hub's day in UTC."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def retry_ms(now: float) -> int:
    """When to try again: at midnight by the hub, but at least every half hour to be heard of."""
    moment = datetime.fromtimestamp(now, UTC)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    left = int((midnight - moment).total_seconds() * 1000)
    return min(_RETRY_MOST_MS, max(_RETRY_LEAST_MS, left))


def add_refused(db: "Database") -> None:
    """A migration step: how many records were refused on that day."""
    db.conn.execute("ALTER TABLE intake ADD COLUMN refused INTEGER NOT NULL DEFAULT 0")


def write(connection: sqlite3.Connection, intakes: Iterable[tuple[int, Intake]]) -> None:
    """Remember them, each by its school's id; only the newest day of a school stays."""
    connection.executemany(
        "INSERT INTO intake (school_id, day, lessons, size, refused) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (school_id) DO UPDATE SET day = excluded.day, lessons = excluded.lessons,"
        " size = excluded.size, refused = excluded.refused",
        ((school_id, one.day, one.lessons, one.size, one.refused) for school_id, one in intakes),
    ).close()
