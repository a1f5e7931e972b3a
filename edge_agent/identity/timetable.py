"""Lessons of a local day: each class's periods put on the clock by bells, calendar and the day's changes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Final
from zoneinfo import ZoneInfo

from edge_agent.identity.bells import Bell
from edge_agent.identity.local_time import moment
from edge_agent.identity.roster import Meeting, Roster, SchoolClass
from edge_agent.identity.school_calendar import REGULAR, TESTING, Calendar, DayPlan, day_label
from edge_agent.identity.today import Change, delay_schedule

DAYS_KEPT = 400
SHORTEST: Final = 600  # seconds: what a delay or an early end leaves of a lesson, if it is to be one
_BRACKETS: Final = re.compile(r"([^()]+)\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Lesson:
    """One class in one lesson: `start <= t < end`, seconds UTC, in `room`.

    Of a lesson that is not `collected` nothing is taken in: the class sits a test.
    """

    school_class: SchoolClass
    start: int
    end: int
    room: str = ""
    collected: bool = True


Plan = list[Lesson]


class Timetable:
    """Which lessons a day has."""

    def __init__(
        self,
        roster: Roster,
        bells: Iterable[Bell],
        zone: ZoneInfo,
        calendar: Calendar | None = None,
        changes: Iterable[Change] = (),
    ) -> None:
        self._zone = zone
        self._calendar = calendar or Calendar()
        self._bells: dict[str, dict[str, list[Bell]]] = {}
        for bell in bells:
            self._bells.setdefault(bell.schedule, {}).setdefault(bell.period, []).append(bell)
        self._periods = frozenset(period for found in self._bells.values() for period in found)
        self._classes = tuple((item, self._meetings(item)) for item in roster.classes.values())
        self._changes: dict[date, list[Change]] = {}
        for change in sorted(changes, key=lambda change: change.since):
            self._changes.setdefault(change.date, []).append(change)
        self._days: dict[date, tuple[tuple[Lesson, ...], tuple[Lesson, ...]]] = {}

    @property
    def schedules(self) -> frozenset[str]:
        """The bell schedules there are."""
        return frozenset(self._bells)

    def lessons(self, day: date) -> tuple[Lesson, ...]:
        """All lessons of a local day that are collected, by start and class id."""
        return self._day(day)[0]

    def testing(self, day: date) -> tuple[Lesson, ...]:
        """The lessons of a local day in which a test is written: nothing of them is taken in."""
        return self._day(day)[1]

    def overlaps(self, days: Iterable[date]) -> int:
        """How many lessons of these days are left out because the class has another at that time."""
        return sum(len(found) - len(list(_apart(found))) for found in map(self._planned, days))

    def without_lessons(self) -> tuple[str, ...]:
        """Ids of classes that no bell rings for: no period, or none that the bells know."""
        return tuple(
            item.id
            for item, meetings in self._classes
            if not any(meeting.start or meeting.period in self._periods for meeting in meetings)
        )

    def _day(self, day: date) -> tuple[tuple[Lesson, ...], tuple[Lesson, ...]]:
        if day not in self._days:
            if len(self._days) >= DAYS_KEPT:
                self._days = {}
            plan = undelayed = self._planned(day)
            for change in self._changes.get(day, ()):
                # A delay takes the place of the one before: two hours said twice are two hours.
                if change.change == "delay":
                    plan = _from(change.since, plan, self._changed(change, undelayed, day))
                else:
                    plan = _from(change.since, plan, self._changed(change, plan, day))
                    undelayed = _from(change.since, undelayed, self._changed(change, undelayed, day))
            taken = _apart(lesson for lesson in plan if lesson.collected)
            tests = _apart(lesson for lesson in plan if not lesson.collected)
            self._days[day] = tuple(taken), tuple(tests)
        return self._days[day]

    def _planned(self, day: date) -> Plan:
        """The day's lessons as they were planned, overlapping ones too."""
        plan = self._calendar.plan(day)
        if plan is None:
            return []
        lessons = self._ring(day, plan, plan.schedule)
        return [replace(item, collected=False) for item in lessons] if plan.schedule == TESTING else lessons

    def _changed(self, change: Change, plan: Plan, day: date) -> Plan:
        """The day's lessons once a change holds; `plan` is what held before."""
        if change.change == "closed":
            return []
        if change.change == "normal":
            return self._planned(day)
        if change.change == "testing":
            tested = self._by_schedule(day, TESTING) if TESTING in self._bells else plan
            return [*_tests_from(plan, change.since), *(replace(item, collected=False) for item in tested)]
        if change.change == "schedule":
            return self._by_schedule(day, change.schedule)
        if change.change == "dismissal":
            at = moment(day, time.fromisoformat(change.at or "23:59"), self._zone)
            return _within(plan, float("-inf"), at)
        own = delay_schedule(change.minutes)
        if own in self._bells:
            return self._by_schedule(day, own)
        opening = min((item.start for item in plan), default=0) + change.minutes * 60
        return _within(plan, opening, float("inf"))

    def _by_schedule(self, day: date, schedule: str) -> Plan:
        plan = self._calendar.plan(day)
        return [] if plan is None else self._ring(day, plan, schedule)

    def _ring(self, day: date, plan: DayPlan, schedule: str) -> Plan:
        """The lessons of a schedule; of one that has no bells those of the regular schedule."""
        ringing = {
            period: [bell for bell in bells if bell.days & plan.days]
            for period, bells in (self._bells.get(schedule) or self._bells.get(REGULAR, {})).items()
        }
        special = schedule != REGULAR and schedule in self._bells
        times: dict[time, int] = {}
        found: Plan = []
        for item, meetings in self._classes:
            if not _meets(item, day):
                continue
            there = item.on(day)
            for meeting in meetings:
                if meeting.days and not meeting.days & plan.days:
                    continue
                for start, end in self._spans(meeting, ringing, special):
                    for at in (start, end):
                        if at not in times:
                            times[at] = moment(day, at, self._zone)
                    if times[start] < times[end]:  # else it fell into the hour that is missing
                        found.append(Lesson(there, times[start], times[end], meeting.room or item.room))
        return _ordered(found)

    def _spans(
        self, meeting: Meeting, ringing: Mapping[str, list[Bell]], special: bool
    ) -> list[tuple[time, time]]:
        """When a meeting is: by its period's bells or its own times, cut to the bells on a special day."""
        if meeting.start is None or meeting.end is None or meeting.period in self._periods:
            return [(bell.start, bell.end) for bell in ringing.get(meeting.period, ())]
        bells = [bell for found in ringing.values() for bell in found]
        if not special or not bells:
            return [(meeting.start, meeting.end)]
        start = max(meeting.start, min(bell.start for bell in bells))
        end = min(meeting.end, max(bell.end for bell in bells))
        return [(start, end)] if start < end else []

    def _meetings(self, item: SchoolClass) -> tuple[Meeting, ...]:
        if item.meetings:
            return item.meetings
        return tuple(self._meeting(period) for period in item.periods)

    def _meeting(self, period: str) -> Meeting:
        """A roster's period, which may have its days behind it, as in `3(A,C)`."""
        found = _BRACKETS.fullmatch(period)
        if found is None or period in self._periods:
            return Meeting(period)
        days = frozenset(day_label(part) for part in re.split(r"[\s,]+", found[2]) if part)
        return Meeting(found[1].strip(), days)


def _ordered(lessons: Iterable[Lesson]) -> Plan:
    return sorted(lessons, key=lambda lesson: (lesson.start, lesson.school_class.id, lesson.end))


def _from(since: int, plan: Plan, changed: Plan) -> Plan:
    """Lessons that have begun by then as they were, and later ones as they are now."""
    begun = [lesson for lesson in plan if lesson.start < since]
    return _ordered([*begun, *(lesson for lesson in changed if lesson.start >= since)])


def _within(plan: Plan, first: float, last: float) -> Plan:
    """What is left of the lessons between two moments; what would be too short for a lesson falls away."""
    return [
        item if first <= item.start and item.end <= last else _cut(item, first, last)
        for item in plan
        if min(item.end, last) - max(item.start, first) >= min(SHORTEST, item.end - item.start)
    ]


def _cut(lesson: Lesson, first: float, last: float) -> Lesson:
    return replace(lesson, start=int(max(lesson.start, first)), end=int(min(lesson.end, last)))


def _tests_from(plan: Plan, since: int) -> Plan:
    """The rest of the lessons that have begun: the lesson stays, and nothing more is taken in."""
    begun = [item for item in plan if item.collected and item.start < since < item.end]
    return [replace(item, start=since, collected=False) for item in begun]


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
