"""How much of one school a day may bring in, by hub time, so that no school fills the disk of all."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

LESSONS: Final = "lessons"
BYTES: Final = "bytes"

# Sixty shared classes make about 300 lesson records of 3 KiB a day: a term offline comes in within a week.
DAILY: Final[Mapping[str, int]] = MappingProxyType({LESSONS: 5_000, BYTES: 64 * 1024 * 1024})
REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {LESSONS: "put_off_daily_lessons", BYTES: "put_off_daily_bytes"}
)

_RETRY_MOST_MS: Final = 30 * 60 * 1000
_RETRY_LEAST_MS: Final = 60 * 1000


@dataclass(slots=True)
class Intake:
    """What a school has brought in on one day: new lessons, and bytes of accepted payload."""

    day: str
    lessons: int = 0
    size: int = 0

    def add(self, size: int, *, lesson: bool) -> None:
        """One more record."""
        self.lessons += lesson
        self.size += size

    def full(self, ceilings: Mapping[str, int]) -> str | None:
        """Why nothing more is taken today, or None."""
        if self.lessons >= ceilings[LESSONS]:
            return REASONS[LESSONS]
        return REASONS[BYTES] if self.size >= ceilings[BYTES] else None


def day_of(now: float) -> str:
    """The hub's day in UTC."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def retry_ms(now: float) -> int:
    """When to try again: at midnight by the hub, but at least every half hour to be heard of."""
    moment = datetime.fromtimestamp(now, UTC)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    left = int((midnight - moment).total_seconds() * 1000)
    return min(_RETRY_MOST_MS, max(_RETRY_LEAST_MS, left))


def read(connection: sqlite3.Connection, school_id: int, day: str) -> Intake:
    """What the school has brought in on that day."""
    row = connection.execute(
        "SELECT lessons, size FROM intake WHERE school_id = ? AND day = ?", (school_id, day)
    ).fetchone()
    return Intake(day, *row) if row else Intake(day)


def write(connection: sqlite3.Connection, intakes: Iterable[tuple[int, Intake]]) -> None:
    """Remember them, each by its school's id; only the newest day of a school stays."""
    connection.executemany(
        "INSERT INTO intake (school_id, day, lessons, size) VALUES (?, ?, ?, ?) ON CONFLICT (school_id)"
        " DO UPDATE SET day = excluded.day, lessons = excluded.lessons, size = excluded.size",
        ((school_id, intake.day, intake.lessons, intake.size) for school_id, intake in intakes),
    ).close()
