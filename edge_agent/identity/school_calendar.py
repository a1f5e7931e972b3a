"""The school's calendar: holidays, the schedule of single days, rotation days; without one, every weekday."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from edge_agent.identity.tables import Refused, rows

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
REGULAR: Final = "regular"
CLOSED: Final = "closed"
TESTING: Final = "testing"
LONGEST_RANGE: Final = 400
FARTHEST: Final = 4_000  # days from a rotation's start
_LABEL: Final = re.compile(r"[A-Z0-9][A-Z0-9+]{0,7}")
_PLAIN: Final = re.compile(r"[\s\-]+")


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One local day: the bell schedule that holds, and the days (weekday, rotation day) it counts as."""

    schedule: str
    days: frozenset[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the calendar says of a date: a rotation day, a weekday or nothing; a schedule or nothing."""

    day: str = ""
    schedule: str = ""

    @property
    def closed(self) -> bool:
        return CLOSED in (self.day, self.schedule)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Dates that are special, and a rotation that begins on a date and goes on school day by school day."""

    entries: Mapping[date, Entry] = field(default_factory=dict)
    rotation: tuple[str, ...] = ()
    start: date = date.max
    _known: dict[date, str] = field(default_factory=dict)

    @property
    def labels(self) -> frozenset[str]:
        """Every rotation day there is."""
        return frozenset({*self.rotation, *(entry.day for entry in self.entries.values())} - {"", CLOSED})

    @property
    def schedules(self) -> frozenset[str]:
        """Every schedule that a date has."""
        return frozenset({entry.schedule for entry in self.entries.values()} - {"", CLOSED})

    def plan(self, day: date) -> DayPlan | None:
        """How the school works on a day; None if it is closed."""
        entry = self.entries.get(day, Entry())
        if entry.closed:
            return None
        # A weekday is given where, say, Friday goes by Monday's bells.
        own = {entry.day} if entry.day in DAYS else {DAYS[day.weekday()], entry.day or self.rotates(day)}
        return DayPlan(entry.schedule or REGULAR, frozenset(own - {""}))

    def rotates(self, day: date) -> str:
        """The rotation day of a date, or nothing.

        Every school day takes the next one: Monday to Friday, unless closed, and dates that the calendar
        gives a rotation day. A rotation day given by hand is that day's, and the rotation goes on from it.
        """
        if not self.rotation or not self.start <= day <= self.start + timedelta(days=FARTHEST):
            return ""
        if day not in self._known:
            self._known.update(self._rotation(day))
        return self._known[day]

    def _rotation(self, last: date) -> Iterator[tuple[date, str]]:
        following = 0
        for number in range((last - self.start).days + 1):
            day = self.start + timedelta(days=number)
            entry = self.entries.get(day, Entry())
            given = entry.day if entry.day not in DAYS else ""
            if entry.closed or (day.weekday() >= 5 and not given):
                yield day, ""
            elif given and given not in self.rotation:
                yield day, given
            else:
                at = self.rotation.index(given) if given else following
                yield day, self.rotation[at]
                following = (at + 1) % len(self.rotation)


def schedule_name(text: str) -> str:
    """A schedule's name as everything here writes it: `Two-hour delay` is `two_hour_delay`."""
    return _PLAIN.sub("_", text.strip()).lower()


def day_label(text: str) -> str:
    """A weekday as `Mon`, `closed`, or a rotation day in capitals (`Day a` is `A`); nothing if unreadable."""
    plain = text.strip()
    if plain.lower() in (CLOSED, "holiday"):
        return CLOSED
    if len(plain) > 2 and plain[:3].title() in DAYS:
        return plain[:3].title()
    label = plain.upper().removeprefix("DAY").strip(" -_")
    return label if _LABEL.fullmatch(label) else ""


def load_calendar(path: Path, refused: Refused) -> Calendar:
    """Read `date,day,schedule` (dates may be ranges, `2026-12-21..2027-01-02`) and `rotation,start`.

    A row for a shorter range wins over one for a longer; of two alike the second is refused. Raises
    SettingsError for an unusable file.
    """
    spans: list[tuple[int, date, Entry]] = []
    rotation: tuple[str, ...] = ()
    start = date.max
    seen: set[tuple[date, int]] = set()
    for line, row in rows(path, (), refused, ("date", "day", "schedule", "rotation", "start")):
        text = ",".join(row.values())
        if row["rotation"]:
            labels, begins = tuple(map(day_label, row["rotation"].split())), _date(row["start"])
            is_odd = not all(labels) or {*DAYS, CLOSED} & {*labels} or len(labels) > len({*labels})
            if begins is None or is_odd:
                refused.add(path, line, "a rotation needs different days and its start date", text)
            elif rotation:
                refused.add(path, line, "a second rotation", text)
            else:
                rotation, start = labels, begins
        if not row["date"]:
            continue
        first, days = _range(row["date"])
        if first is None:
            refused.add(path, line, "unreadable date", text)
        elif row["day"] and not day_label(row["day"]):
            refused.add(path, line, "unreadable day", text)
        elif (first, days) in seen:
            refused.add(path, line, "the same date twice", text)
        else:
            seen.add((first, days))
            spans.append((days, first, Entry(day_label(row["day"]), schedule_name(row["schedule"]))))
    spans.sort(key=lambda span: -span[0])
    entries = {
        first + timedelta(days=number): entry for days, first, entry in spans for number in range(days)
    }
    return Calendar(entries, rotation, start)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _range(text: str) -> tuple[date | None, int]:
    """The first date and how many days; no date where it is unreadable."""
    begin, dots, end = (part.strip() for part in text.partition(".."))
    first, last = _date(begin), _date(end if dots else begin)
    if first is None or last is None or not 0 <= (last - first).days < LONGEST_RANGE:
        return None, 0
    return first, (last - first).days + 1
