"""What a day's lessons put into the network and into apps' reports."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from demo.app_names import AppNames
from demo.dnsmasq_log import Query
from demo.presence import Presence
from demo.school import School, Section
from demo.term import instant, is_school_day
from demo.xapi import Act
from models.catalogue.load import Catalogue
from models.simulator.lessons import BASE_RATES, Habits, lesson_events, plan_lesson
from shared.words import Action

# Now and then a lesson does without iPads, though the timetable does not know it.
STAYS_SHUT: Final = 0.04

_HABITS: Final = 3
_LEVELS: Final = 4
_LESSON: Final = 5
_STEPS: Final = (-1, 0, 0, 0, 1)


@dataclass(frozen=True, slots=True)
class Customs:
    """How a school uses its iPads all term: its apps, and the level at which each section usually works."""

    habits: Habits
    levels: tuple[int, ...]


def customs_of(school: School, catalogue: Catalogue) -> Customs:
    """The school's customs, the same for the same seed. Where apps do not report, none is set up to."""
    habits = Habits.draw(school.rng(_HABITS), catalogue)
    if not school.character.reports_actions:
        habits = replace(habits, reporting=frozenset())
    levels = school.rng(_LEVELS).choice(len(BASE_RATES), len(school.sections), p=BASE_RATES)
    return Customs(habits, tuple(levels.tolist()))


def lesson_traffic(
    school: School,
    day: date,
    present: list[Presence],
    zone: ZoneInfo,
    customs: Customs,
    catalogue: Catalogue,
    names: AppNames,
) -> tuple[list[Query], list[Act], int]:
    """Queries and reported acts of the day's lessons, in no order, and how many lessons there were."""
    queries: list[Query] = []
    acts: list[Act] = []
    lessons = 0
    there = {presence.device.serial: presence for presence in present}
    for number, section, start, end in _timetable(school, day, zone):
        lessons += 1
        rng = school.rng(_LESSON, day.toordinal(), number, start)
        group = [
            (person, there[device.serial])
            for person, device in zip(section.learners, section.devices, strict=True)
            if device.serial in there
        ]
        if not group or rng.random() < STAYS_SHUT:
            continue
        level = int(np.clip(customs.levels[number] + rng.choice(_STEPS), 0, len(BASE_RATES) - 1))
        plan = plan_lesson(rng, customs.habits, subject=section.subject, grade=section.grade, level=level)
        events = lesson_events(rng, plan, devices=len(group), minutes=(end - start) // 60)
        choices = rng.integers(0, 256, len(events)).tolist()
        rows = zip(
            events.t.tolist(),
            events.device.tolist(),
            events.app.tolist(),
            events.action.tolist(),
            events.amount.tolist(),
            choices,
            strict=True,
        )
        for t, device, app, action, amount, choice in rows:
            person, presence = group[device]
            if action == Action.CONTACT:
                name = names.of(app, choice)
                if name is not None:
                    queries.append(Query(start + t, presence.address, name))
            elif presence.device.owner is not None:
                # Nobody signs in on a cart's iPad, so apps cannot say whose act it was.
                acts.append(Act(start + t, person, catalogue.apps[app - 1], Action(action), amount))
    return queries, acts, lessons


def _timetable(school: School, day: date, zone: ZoneInfo) -> Iterator[tuple[int, Section, int, int]]:
    """The day's lessons: section's number, section, start and end in seconds UTC."""
    if not is_school_day(day):
        return
    bells = {bell.name: bell for bell in school.bells if day.weekday() in bell.weekdays}
    for number, section in enumerate(school.sections):
        for period in section.periods:
            if period in bells:
                bell = bells[period]
                yield number, section, instant(day, bell.start, zone), instant(day, bell.end, zone)
