"""A hub's store as years leave it: schools, weeks and shared classes, put there by the hub's own effects."""

import itertools
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from datetime import time as clock_time
from functools import partial
from typing import Final

from benchmarks.make.hubs import Hub
from benchmarks.make.records import BANDS, Records, school_weeks
from hub.known import Known
from hub.store import enrolments
from hub.store.effects import Effects
from hub.store.schema import MIGRATIONS
from shared.records import Record
from shared.storage import Writer

LAST_AUTUMN: Final = 2025
SHARED_CLASSES: Final = 5  # in each half of a year; codes are new each term
LESSONS_A_WEEK: Final = 2

_ZONE: Final = timezone(timedelta(hours=2))
_A_COMMIT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Filled:
    """What was put in: `classes` are (school's slug, class code)."""

    slugs: Sequence[str]
    classes: Sequence[tuple[str, str]]
    records: int


def fill(hub: Hub, names: Sequence[str], years: int) -> Filled:
    """Every school's weeks and lessons of `years` school years."""
    writer = Writer(hub.layout.database, MIGRATIONS)
    calendar = list(school_weeks(range(LAST_AUTUMN - years + 1, LAST_AUTUMN + 1)))
    known = Known.load()
    halves = sorted({half for half, _ in calendar})
    classes: list[tuple[str, str]] = []
    total = 0
    for number, name in enumerate(names):
        school = writer.run(partial(enrolments.named, name=name))
        records = _years(Records(name, seed=number), number, calendar)
        while group := list(itertools.islice(records, _A_COMMIT)):
            writer.run(partial(_apply, school=school, group=group, known=known))
            total += len(group)
        slug = enrolments.slug_of(name)
        classes += [(slug, _code(number, half, c)) for half in halves for c in range(SHARED_CLASSES)]
    writer.close()
    return Filled([enrolments.slug_of(name) for name in names], classes, total)


def _years(records: Records, number: int, calendar: Sequence[tuple[int, date]]) -> Iterator[Record]:
    for half, monday in calendar:
        for band in BANDS:
            yield records.week(f"{monday:%G-W%V}", band)
        for c, day in itertools.product(range(SHARED_CLASSES), range(LESSONS_A_WEEK)):
            start = datetime.combine(monday + timedelta(days=2 * day), clock_time(8 + c), _ZONE)
            yield records.lesson(_code(number, half, c), start)


def _code(number: int, half: int, c: int) -> str:
    return f"c{number:02d}-{half}-{c}"


def _apply(
    connection: sqlite3.Connection, school: enrolments.School, group: Sequence[Record], known: Known
) -> None:
    effects = Effects(connection, time.time(), known)
    for record in group:
        effects.apply(school, record)
    effects.write()
