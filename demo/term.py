"""The simulated term: which days are school days, and at which instants the demo's clock stops."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

TERM_START: Final = date(2026, 9, 14)
TERM_END: Final = date(2027, 6, 18)
LONGEST_HOP: Final = 24 * 3600

_DAY_OPENS: Final = time(6)
_DAY_CLOSES: Final = time(16)
_SCHOOL_OPENS: Final = time(7, 45)
_SCHOOL_CLOSES: Final = time(14, 50)
# Friday's key, the week's last with lessons, is destroyed 36 hours after Friday began.
_WEEK_LEAVES: Final = time(13)


@dataclass(frozen=True, slots=True)
class Step:
    """Write everything before `until`, then move the clock there; first to `opens` if it is later than now.

    Both are seconds UTC; `label` is for people.
    """

    opens: int
    until: int
    label: str


def instant(day: date, at: time, zone: ZoneInfo) -> int:
    """A local time of a day in seconds UTC."""
    return int(datetime.combine(day, at, zone).timestamp())


def beginning(zone: ZoneInfo) -> int:
    """Where the simulated clock starts: the evening before the first school day."""
    return instant(TERM_START - timedelta(days=1), time(18), zone)


def school_day(number: int) -> date:
    """The school day of that number, from 0: Mondays to Fridays from the term's start."""
    weeks, weekday = divmod(number, 5)
    return TERM_START + timedelta(weeks=weeks, days=weekday)


def is_school_day(day: date) -> bool:
    """Whether lessons take place on that day."""
    return day >= TERM_START and day.weekday() < 5


def days_done(reached: int, zone: ZoneInfo) -> int:
    """How many school days are over at an instant."""
    number = 0
    while _closes(number, zone) <= reached:
        number += 1
    return number


def replay(days: int, reached: int, zone: ZoneInfo) -> list[Step]:
    """The steps that are left, from `reached`, until `days` school days are over.

    Friday is followed by Saturday noon, when the week's records may leave. No step reaches further
    than a day ahead of the one before: a log line without a year must be near the clock that reads it.
    """
    steps = []
    for number in range(days):
        day = school_day(number)
        label = f"{day:%A} {day.day} {day:%B}"
        goals = [(_closes(number, zone), instant(day, _DAY_OPENS, zone), label)]
        if day.weekday() == 4:
            saturday = instant(day + timedelta(days=1), _WEEK_LEAVES, zone)
            goals.append((saturday, reached, f"the weekend after {label}"))
        for until, opens, text in goals:
            if until > reached:
                steps += _hops(reached, opens, until, text)
                reached = until
    return steps


def school_hours(reached: int, zone: ZoneInfo) -> tuple[int, int]:
    """The next span of school hours that is not over at `reached`, from `reached` if it has begun."""
    number = days_done(reached, zone)
    while instant(school_day(number), _SCHOOL_CLOSES, zone) <= reached:
        number += 1
    start = instant(school_day(number), _SCHOOL_OPENS, zone)
    return max(start, reached), instant(school_day(number), _SCHOOL_CLOSES, zone)


def hops(reached: int, until: int, label: str) -> list[Step]:
    """From one instant to another, in steps of at most a day."""
    return _hops(reached, reached, until, label) if until > reached else []


def _hops(reached: int, opens: int, until: int, label: str) -> list[Step]:
    count = -(-(until - reached) // LONGEST_HOP)
    ends = [reached + (until - reached) * (i + 1) // count for i in range(count)]
    starts = [reached, *ends[:-1]]
    return [
        Step(opens if start < opens < end else start, end, label if end == until else f"before {label}")
        for start, end in zip(starts, ends, strict=True)
    ]


def _closes(number: int, zone: ZoneInfo) -> int:
    return instant(school_day(number), _DAY_CLOSES, zone)
