"""Lessons of a local day: each class's periods put on the clock by the bell schedule."""

from collections.abc import Iterable, Iterator
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


DAYS_KEPT = 400


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
            if len(self._days) >= DAYS_KEPT:
                self._days = {}
            found = self._found(day)
            found.sort(key=lambda lesson: (lesson.start, lesson.school_class.id, lesson.end))
            self._days[day] = tuple(_apart(found))
        return self._days[day]

    def overlaps(self, days: Iterable[date]) -> int:
        """How many lessons of these days are left out because the class has another at that time."""
        return sum(len(self._found(day)) - len(self.lessons(day)) for day in days)

    def _found(self, day: date) -> list[Lesson]:
        return [
            Lesson(school_class, self._moment(day, bell.start), self._moment(day, bell.end))
            for school_class in self._classes
            if _meets(school_class, day)
            for period in school_class.periods
            for bell in self._bells.get((period, day.weekday()), ())
        ]

    def _moment(self, day: date, at: time) -> int:
        return int(datetime.combine(day, at, self._zone).timestamp())


def _meets(school_class: SchoolClass, day: date) -> bool:
    sessions = school_class.sessions
    return not sessions or any(first <= day <= last for first, last in sessions)


def _apart(lessons: Iterable[Lesson]) -> Iterator[Lesson]:
    """Lessons by start, less those that begin while their own class still has one."""
    ends: dict[str, int] = {}
    for lesson in lessons:
        if lesson.start >= ends.get(lesson.school_class.id, lesson.start):
            ends[lesson.school_class.id] = lesson.end
            yield lesson
