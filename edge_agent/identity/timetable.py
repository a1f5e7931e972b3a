"""Lessons of a local day: each class's periods put on the clock by the bell schedule."""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from edge_agent.identity.bells import Bell
from edge_agent.identity.roster import Roster, SchoolClass


@dataclass(frozen=True, slots=True)
class Lesson:
    """One class in one lesson: `start <= t < end`, seconds UTC."""

    school_class: SchoolClass
    start: int
    end: int


class Timetable:
    """Which lessons a day has."""

    def __init__(self, roster: Roster, bells: tuple[Bell, ...], zone: ZoneInfo) -> None:
        self._classes = tuple(roster.classes.values())
        self._zone = zone
        self._bells: dict[tuple[str, int], list[Bell]] = {}
        for bell in bells:
            self._bells.setdefault((bell.period, bell.weekday), []).append(bell)
        self._days: dict[date, tuple[Lesson, ...]] = {}

    def lessons(self, day: date) -> tuple[Lesson, ...]:
        """All lessons of a local day, by start and class id."""
        if day not in self._days:
            found = [
                Lesson(school_class, self._moment(day, bell.start), self._moment(day, bell.end))
                for school_class in self._classes
                for period in school_class.periods
                for bell in self._bells.get((period, day.weekday()), ())
            ]
            found.sort(key=lambda lesson: (lesson.start, lesson.school_class.id))
            self._days[day] = tuple(found)
        return self._days[day]

    def _moment(self, day: date, at: time) -> int:
        return int(datetime.combine(day, at, self._zone).timestamp())
