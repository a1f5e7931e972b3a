"""The bell schedule: when periods are, by weekday or rotation day and by schedule, in local time."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Final

from edge_agent.identity.local_time import time_of_day
from edge_agent.identity.school_calendar import CLOSED, DAYS, REGULAR, day_label, schedule_name
from edge_agent.identity.tables import Refused, rows

LONGEST_MINUTES = 600
EVERY: Final = frozenset({"all", "daily", "every", "*"})
_RANGE: Final = re.compile(r"([A-Za-z]{3,})\s*(?:-|–|to)\s*([A-Za-z]{3,})")
_PARTS: Final = re.compile(r"[\s,;/+]+")


@dataclass(frozen=True, slots=True)
class Bell:
    """One period of one schedule on these days (`Mon`, or a rotation day such as `A`)."""

    period: str
    days: frozenset[str]
    start: time
    end: time
    schedule: str = REGULAR


def load_bells(path: Path, refused: Refused, labels: Iterable[str] = ()) -> tuple[Bell, ...]:
    """Read `period,days,start,end` and, if there, `schedule`; faulty rows are refused.

    Days are weekdays (`Mon Tue`, `Mon-Fri`), `all`, or rotation days (`labels`); times are as `08:30`.
    """
    known = frozenset(labels)
    bells = []
    for line, row in rows(path, ("period", "days", "start", "end"), refused, ("schedule",)):
        text = ",".join(row.values())
        start, end = time_of_day(row["start"]), time_of_day(row["end"])
        days = read_days(row["days"], known)
        if start is None or end is None or days is None:
            refused.add(path, line, "unreadable day or time", text)
            continue
        fault = "no period or no day" if not row["period"] or not days else time_fault(start, end)
        if fault:
            refused.add(path, line, fault, text)
            continue
        bells.append(Bell(row["period"], days, start, end, schedule_name(row["schedule"]) or REGULAR))
    return tuple(bells)


def read_days(text: str, labels: frozenset[str]) -> frozenset[str] | None:
    """Weekdays and rotation days of a list; None if one is neither."""
    if text.strip().lower() in EVERY:
        return frozenset(DAYS)
    days: set[str] = set()
    for first, last in _RANGE.findall(text):
        ends = [day_label(first), day_label(last)]
        if not {*ends} <= {*DAYS}:
            return None
        at, upto = DAYS.index(ends[0]), DAYS.index(ends[1])
        days |= {DAYS[number % 7] for number in range(at, upto + 1 if upto >= at else upto + 8)}
    for part in _PARTS.split(_RANGE.sub(" ", text)):
        if part and part.lower() != "day":
            label = day_label(part)
            if label == CLOSED or label not in {*DAYS, *labels}:
                return None
            days.add(label)
    return frozenset(days)


def time_fault(start: time, end: time) -> str | None:
    """Why no lesson can be from `start` to `end`, or None."""
    if start.tzinfo or end.tzinfo:
        return "a bell has local time, without an offset"
    if end <= start:
        return "it ends before it starts"
    length = (end.hour - start.hour) * 60 + end.minute - start.minute
    return "longer than ten hours" if length > LONGEST_MINUTES else None
