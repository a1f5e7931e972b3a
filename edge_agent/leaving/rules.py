"""What may leave the school: the rules of minimums and sharing, pure, one decision a function."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

WEEK_DEVICES = 10
WEEK_CLASSES = 3
WEEK_TEACHERS = 3
CHANGED_DEVICES = 5
FEW_CHANGED = "few_devices_changed"
ALL_BANDS = "all"


class Left(Enum):
    """Whether a lesson's own record is on the hub."""

    NO = "no"
    PERHAPS = "perhaps"  # it waits, or was withdrawn when it may have been under way
    YES = "yes"


@dataclass(frozen=True, slots=True)
class LessonFacts:
    """What the rules of a week need to know of one lesson."""

    row: int
    grade_band: str
    class_code: str
    teachers: frozenset[str]
    devices: int
    left: Left


def lesson_held_back(*, devices: int, minimum: int, shared: bool) -> str | None:
    """Why a lesson's own record stays in the school, or None if it leaves."""
    if not shared:
        return "not_shared"
    return "few_devices" if devices < minimum else None


def revision_held_back(*, sent_before: bool, changed_devices: int) -> str | None:
    """Why a newer revision is not sent: two that differ by a few devices could be subtracted."""
    return FEW_CHANGED if sent_before and changed_devices < CHANGED_DEVICES else None


def week_held_back(lessons: Sequence[LessonFacts]) -> str | None:
    """Why a week's aggregate of these lessons may not leave, or None if it may.

    The minimums must hold for all of them, and again for what remains without the shared ones, unless
    nothing does: whoever holds the shared lessons' own records could subtract them. Where it is not sure
    whether a record arrived, they must hold either way.
    """
    surely = [lesson for lesson in lessons if lesson.left is not Left.YES]
    perhaps = [lesson for lesson in lessons if lesson.left is Left.NO]
    parts = [list(lessons), *(part for part in (surely, perhaps) if part)]
    return next((reason for part in parts if (reason := _below_minimum(part))), None)


def week_groups(lessons: Iterable[LessonFacts]) -> tuple[dict[str, list[LessonFacts]], str | None]:
    """The week's lessons by the grade band that they may leave as, or none and the reason why.

    If one band fails its minimums, all bands leave as one; if that fails too, nothing leaves.
    """
    bands: dict[str, list[LessonFacts]] = {}
    for lesson in lessons:
        bands.setdefault(lesson.grade_band, []).append(lesson)
    if bands and not any(week_held_back(group) for group in bands.values()):
        return bands, None
    everything = [lesson for group in bands.values() for lesson in group]
    reason = week_held_back(everything)
    return ({}, reason) if reason else ({ALL_BANDS: everything}, None)


def _below_minimum(lessons: Collection[LessonFacts]) -> str | None:
    if not lessons:
        return "no_lessons"
    if max(lesson.devices for lesson in lessons) < WEEK_DEVICES:
        return "few_devices"
    if len({lesson.class_code for lesson in lessons}) < WEEK_CLASSES:
        return "few_classes"
    if len(frozenset().union(*(lesson.teachers for lesson in lessons))) < WEEK_TEACHERS:
        return "few_teachers"
    return None
