"""What the school's own files come to, in counts."""

from collections.abc import Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from edge_agent.check.facts import SchoolFacts, Span
from edge_agent.days import day_of
from edge_agent.identity.directory import Directory
from edge_agent.identity.hardware import is_private
from edge_agent.identity.roster import SchoolClass
from edge_agent.identity.tables import Refused

WEEK = 7
LOOKED_BACK = 14


def school_facts(
    directory: Directory, refused: Refused, zone: ZoneInfo, now: float, since: float | None
) -> SchoolFacts:
    """Counts over roster, inventory and timetable; lessons from `since` (or a fortnight ago) to next week."""
    roster, inventory = directory.roster, directory.inventory
    today = day_of(now, zone)
    coming = [today + timedelta(days=number) for number in range(WEEK)]
    first = today - timedelta(days=LOOKED_BACK)
    if since is not None:
        first = min(first, day_of(since, zone))
    past = [first + timedelta(days=number) for number in range((today - first).days)]
    learners = {user for item in roster.classes.values() for user in item.learners}
    rooms = {device.room for device in inventory.devices if device.room and not device.user}
    lacking = _lacking(roster.classes.values(), directory, rooms)
    known = set(inventory.by_user)
    carts = {user for item in roster.classes.values() if item.rooms & rooms for user in item.learners}
    timetable = directory.timetable
    return SchoolFacts(
        devices=len(inventory.devices),
        classes=len(roster.classes),
        learners=len(learners),
        private_in_inventory=sum(is_private(device.hardware) for device in inventory.devices),
        without_lessons=tuple(sorted(timetable.without_lessons())),
        without_devices=tuple(item.id for item in lacking),
        without_teacher=_ids(item for item in roster.classes.values() if not item.teachers),
        without_learners=_ids(item for item in roster.classes.values() if not item.learners),
        learners_without_device=len(learners - known - carts),
        classes_of_those=_ids(
            item for item in roster.classes.values() if item.learners - known - carts and item.learners
        ),
        devices_without_class=sum(
            bool(device.user or device.room)
            and device.user not in roster.staff
            and not directory.has_class(device)
            for device in inventory.devices
        ),
        devices_of_nobody=sum(not device.user and not device.room for device in inventory.devices),
        overlaps=timetable.overlaps(coming),
        lessons_next_week=sum(len(timetable.lessons(day)) for day in coming),
        refused=refused.counts(),
        lessons=_spans(directory, [*past, *coming]),
        school_days=tuple(day for day in past if timetable.lessons(day)),
    )


def _lacking(classes: Iterable[SchoolClass], directory: Directory, rooms: set[str]) -> list[SchoolClass]:
    """Classes with learners of which no device could be seen."""
    own = directory.inventory.by_user
    return sorted(
        (
            item
            for item in classes
            if item.learners and not (item.rooms & rooms) and not any(user in own for user in item.learners)
        ),
        key=lambda item: item.id,
    )


def _ids(classes: Iterable[SchoolClass]) -> tuple[str, ...]:
    return tuple(sorted(item.id for item in classes))


def _spans(directory: Directory, days: Iterable[date]) -> tuple[Span, ...]:
    """When any class has a lesson, as spans that do not touch."""
    found: list[Span] = []
    for day in days:
        for lesson in sorted(directory.timetable.lessons(day), key=lambda lesson: lesson.start):
            if found and lesson.start <= found[-1][1]:
                found[-1] = found[-1][0], max(found[-1][1], lesson.end)
            else:
                found.append((lesson.start, lesson.end))
    return tuple(found)
