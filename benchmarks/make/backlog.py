"""What waits in a school's outbox after a day without its hub."""

from datetime import datetime, timedelta, timezone
from typing import Final

from benchmarks.make.records import BANDS, Records
from shared.records import Record, encode

SHARED_CLASSES: Final = 12
LESSONS_A_DAY: Final = 5

_NINE: Final = datetime(2026, 9, 18, 8, 0, tzinfo=timezone(timedelta(hours=2)))


def backlog(school: str, number: int) -> list[bytes]:
    """A Friday's lessons of the shared classes, the week's aggregates, one heartbeat; as they are sent."""
    records = Records(school, seed=number)
    lessons = [
        records.lesson(f"c{number}-{shared}", _NINE + timedelta(hours=period))
        for period in range(LESSONS_A_DAY)
        for shared in range(SHARED_CLASSES)
    ]
    weeks = [records.week("2026-W38", band) for band in BANDS]
    waiting: list[Record] = [*lessons, *weeks, records.status(_NINE)]
    return [encode(record) for record in waiting]
