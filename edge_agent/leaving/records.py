"""Records from closed windows: a lesson's own, and a week's aggregate. Pure."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from edge_agent.lessons.windows import ClosedWindow
from models.features.set1 import FEATURES
from shared.records import FeatureRow, LessonRecord, Placement, WeekPlacement, WeekRecord


class WeekLesson(msgspec.Struct, frozen=True):
    """What a week's aggregate needs of one lesson; `teachers` are opaque in the store."""

    class_code: str
    teachers: frozenset[str]
    devices: int
    evidence: float
    visibility: float
    sources: frozenset[str]
    features: FeatureRow
    placements: tuple[Placement, ...]


def lesson_record(
    window: ClosedWindow, *, school: str, zone: ZoneInfo, kinds: frozenset[str], revision: int
) -> LessonRecord:
    """The record of one window, as it leaves while its teacher shares the class."""
    school_class = window.lesson.school_class
    return LessonRecord(
        school=school,
        class_=window.key.class_code,
        start=datetime.fromtimestamp(window.key.start, zone).isoformat(),
        minutes=max(1, (window.lesson.end - window.key.start) // 60),
        grade_band=school_class.grade_band,
        subject=school_class.subject,
        devices=window.devices,
        expected=window.expected,
        evidence=window.evidence,
        visibility=window.visibility,
        sources=tuple(sorted(kinds)),
        feature_set="1",
        features=window.features,
        strip=window.strip,
        placements=window.placements,
        revision=revision,
    )


def week_lesson(window: ClosedWindow, kinds: frozenset[str]) -> WeekLesson:
    """What the week's aggregate will need of a closed window."""
    return WeekLesson(
        class_code=window.key.class_code,
        teachers=window.lesson.school_class.teachers,
        devices=window.devices,
        evidence=window.evidence,
        visibility=window.visibility,
        sources=kinds,
        features=window.features,
        placements=(*window.placements, *window.coarser),
    )


def week_record(
    lessons: Sequence[WeekLesson], *, school: str, week: str, grade_band: str, teachers: int
) -> WeekRecord:
    """The aggregate of a week's lessons, at least one, of `teachers` teachers, in one grade band."""
    return WeekRecord(
        school=school,
        week=week,
        grade_band=grade_band,
        lessons=len(lessons),
        classes=len({lesson.class_code for lesson in lessons}),
        teachers=teachers,
        devices=max(lesson.devices for lesson in lessons),
        evidence=round(sum(lesson.evidence for lesson in lessons), 3),
        visibility=round(sum(lesson.visibility for lesson in lessons) / len(lessons), 6),
        sources=tuple(sorted(frozenset().union(*(lesson.sources for lesson in lessons)))),
        features={name: _weighted_mean(name, lessons) for name in FEATURES},
        placements=_week_placements(lessons),
    )


def _weighted_mean(name: str, lessons: Sequence[WeekLesson]) -> float | None:
    """Mean over the lessons that could see the feature, weighted by evidence."""
    seen = [(lesson.features.get(name), lesson.evidence) for lesson in lessons]
    pairs = [(value, weight) for value, weight in seen if value is not None and weight > 0]
    total = sum(weight for _, weight in pairs)
    return round(sum(value * weight for value, weight in pairs) / total, 9) if total else None


def _week_placements(lessons: Sequence[WeekLesson]) -> tuple[WeekPlacement, ...]:
    groups: dict[tuple[str, str, str], list[Placement]] = {}
    for lesson in lessons:
        for placement in lesson.placements:
            groups.setdefault((placement.model, placement.dimension, placement.version), []).append(placement)
    return tuple(_week_placement(key, group) for key, group in groups.items())


def _week_placement(key: tuple[str, str, str], group: Sequence[Placement]) -> WeekPlacement:
    verdicts = [placement.verdict for placement in group]
    stages = zip(*(placement.probs for placement in group), strict=True)
    model, dimension, version = key
    return WeekPlacement(
        model=model,
        dimension=dimension,
        version=version,
        expected=tuple(round(sum(stage), 6) for stage in stages),
        placed=verdicts.count("placed"),
        thin=verdicts.count("thin"),
        evidence_only=verdicts.count("evidence_only"),
    )
