"""Records as a school sends them, small and exact."""

from collections.abc import Mapping, Sequence

from models.features.set1 import FEATURES
from shared.records import (
    LessonRecord,
    Placement,
    SourceFreshness,
    StatusRecord,
    WeekPlacement,
    WeekRecord,
)

DIMENSIONS = ("active", "collaborative", "constructive", "authentic", "goal_directed")
SCHOOL = "Alder Primary"
SPREAD = (0.1, 0.2, 0.4, 0.2, 0.1)
SHARES = {
    "consume_share": 0.5,
    "practise_share": 0.05,
    "create_share": 0.1,
    "collaborate_share": 0.05,
    "publish_share": 0.0,
    "reflect_share": 0.0,
    "plan_share": 0.05,
}


def feature_row(shares: Mapping[str, float | None] = SHARES) -> dict[str, float | None]:
    """Every feature of set 1, null where `shares` says nothing."""
    return {name: shares.get(name) for name in FEATURES}


def lesson(
    school: str = SCHOOL,
    code: str = "7f3k",
    start: str = "2025-09-01T09:00:00+02:00",
    revision: int = 1,
    probs: Sequence[float] = SPREAD,
    subject: str = "Science",
) -> LessonRecord:
    """A shared class's lesson."""
    return LessonRecord(
        school=school,
        class_=code,
        start=start,
        minutes=45,
        grade_band="3-5",
        subject=subject,
        devices=20,
        expected=24,
        evidence=310.0,
        visibility=0.6,
        sources=("dnsmasq",),
        feature_set="1",
        features=feature_row(),
        strip=({"consume": 0.4, "other": 0.1}, {"create": 0.25}),
        placements=tuple(
            Placement("tim", dimension, "1", tuple(probs), "evidence_only") for dimension in DIMENSIONS
        ),
        revision=revision,
    )


def week(
    school: str = SCHOOL,
    name: str = "2025-W36",
    band: str = "3-5",
    lessons: int = 10,
    expected: Sequence[float] | None = None,
    visibility: float = 0.5,
    evidence: float = 1000.0,
    shares: Mapping[str, float | None] = SHARES,
    version: str = "1",
) -> WeekRecord:
    """A school's week; without `expected` its lessons are spread as `SPREAD` says."""
    spread = tuple(expected) if expected is not None else tuple(lessons * share for share in SPREAD)
    return WeekRecord(
        school=school,
        week=name,
        grade_band=band,
        lessons=lessons,
        classes=4,
        teachers=3,
        devices=25,
        evidence=evidence,
        visibility=visibility,
        sources=("dnsmasq",),
        features=feature_row(shares),
        placements=tuple(
            WeekPlacement("tim", dimension, version, spread, 0, 2, lessons - 2) for dimension in DIMENSIONS
        ),
    )


def status(school: str = SCHOOL, backlog: int = 3) -> StatusRecord:
    """A heartbeat."""
    return StatusRecord(school, (SourceFreshness("dnsmasq", "2025-09-01T09:44:00+02:00"),), backlog, "0.1.0")
