"""The bell schedule: when the roster's periods are, by weekday, in local time."""

from dataclasses import dataclass
from datetime import time
from pathlib import Path

from edge_agent.identity.tables import Refused, rows

LONGEST_MINUTES = 600
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Bell:
    """One period on one weekday (0 is Monday)."""

    period: str
    weekday: int
    start: time
    end: time


def load_bells(path: Path, refused: Refused) -> tuple[Bell, ...]:
    """Read `period,days,start,end` (days as `Mon Tue`, times as `08:30`); faulty rows are refused."""
    bells = []
    for line, row in rows(path, ("period", "days", "start", "end"), refused):
        try:
            start, end = time.fromisoformat(row["start"]), time.fromisoformat(row["end"])
            weekdays = [DAYS.index(day[:3].title()) for day in row["days"].split()]
        except ValueError:
            refused.add(path, line, "unreadable day or time", ",".join(row.values()))
            continue
        fault = _fault(row["period"], weekdays, start, end)
        if fault:
            refused.add(path, line, fault, ",".join(row.values()))
            continue
        bells += [Bell(row["period"], weekday, start, end) for weekday in weekdays]
    return tuple(bells)


def _fault(period: str, weekdays: list[int], start: time, end: time) -> str | None:
    if not period or not weekdays:
        return "no period or no day"
    if start.tzinfo or end.tzinfo:
        return "a bell has local time, without an offset"
    if end <= start:
        return "it ends before it starts"
    length = (end.hour - start.hour) * 60 + end.minute - start.minute
    return "longer than ten hours" if length > LONGEST_MINUTES else None
