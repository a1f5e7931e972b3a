"""What waits in a school's outbox after a day without its hub."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Final

from benchmarks.make.records import BANDS, Records
from shared import disclosure
from shared.records import LessonRecord, Record, StatusRecord, WeekRecord, encode

SHARED_CLASSES: Final = 12
LESSONS_A_DAY: Final = 5

_KINDS: Final = {LessonRecord: "lesson", WeekRecord: "week", StatusRecord: "status"}
_NINE: Final = datetime(2026, 9, 18, 8, 0, tzinfo=timezone(timedelta(hours=2)))


def backlog(school: str, number: int) -> list[tuple[bytes, bytes]]:
    """A Friday's lessons of the shared classes, the week's aggregates, one heartbeat; as they are sent.

    Each with its position on the link: the entry of the school's disclosure log.
    """
    records = Records(school, seed=number)
    lessons = [
        records.lesson(f"c{number}-{shared}", _NINE + timedelta(hours=period))
        for period in range(LESSONS_A_DAY)
        for shared in range(SHARED_CLASSES)
    ]
    weeks = [records.week("2026-W38", band) for band in BANDS]
    waiting: list[Record] = [*lessons, *weeks, records.status(_NINE)]
    return _disclosed([(_KINDS[type(record)], encode(record)) for record in waiting])


def _disclosed(records: Iterable[tuple[str, bytes]]) -> list[tuple[bytes, bytes]]:
    found = []
    before = disclosure.GENESIS
    for number, (kind, payload) in enumerate(records, start=1):
        at, size, sha256 = _NINE.isoformat(), len(payload), disclosure.digest(payload)
        chain = disclosure.link(before, number, at, kind, number, size, sha256)
        entry = disclosure.Entry(number, before, chain, kind, number, size, sha256, at)
        found.append((payload, disclosure.pack(entry)))
        before = chain
    return found
