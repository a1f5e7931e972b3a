"""Records as agents send them: lessons and weeks of a school with believable numbers, from a seed."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from models.features.set1 import FEATURES, visible
from shared.records import LessonRecord, Placement, SourceFreshness, StatusRecord, WeekPlacement, WeekRecord
from shared.words import CHANNELS

DIMENSIONS: Final = ("active", "collaborative", "constructive", "authentic", "goal_directed")
BANDS: Final = ("k-2", "3-5", "6-8")
SUBJECTS: Final = ("Mathematics", "English", "Science", "History")
SOURCES: Final = ("dnsmasq",)
VERSION: Final = "1"

_SEEN: Final = visible(SOURCES)
_STAGES: Final = 5


class Records:
    """One school's records; the same seed gives the same ones."""

    def __init__(self, school: str, seed: int) -> None:
        self.school = school
        self._rng = np.random.default_rng(seed)

    def lesson(self, code: str, start: datetime) -> LessonRecord:
        """A shared class's lesson of 45 minutes."""
        rng = self._rng
        evidence = round(float(rng.uniform(200, 700)), 3)
        strip = rng.dirichlet(np.full(4, 0.7), size=9) * 0.6
        channels = rng.permutation(len(CHANNELS))[:4]
        return LessonRecord(
            school=self.school,
            class_=code,
            start=start.isoformat(),
            minutes=45,
            grade_band=BANDS[sum(map(ord, code)) % len(BANDS)],
            subject=SUBJECTS[sum(map(ord, code)) % len(SUBJECTS)],
            devices=int(rng.integers(18, 29)),
            expected=28,
            evidence=evidence,
            visibility=round(float(rng.uniform(0.4, 1)), 6),
            sources=SOURCES,
            feature_set="1",
            features=self._features(evidence),
            strip=tuple(
                {CHANNELS[int(c)]: round(float(share), 4) for c, share in zip(channels, row, strict=True)}
                for row in strip
            ),
            placements=tuple(
                Placement("tim", dimension, VERSION, self._probs(), "evidence_only")
                for dimension in DIMENSIONS
            ),
            revision=1,
        )

    def week(self, name: str, band: str) -> WeekRecord:
        """An ISO week in one grade band."""
        lessons = int(self._rng.integers(40, 90))
        evidence = round(float(self._rng.uniform(8e3, 3e4)), 3)
        return WeekRecord(
            school=self.school,
            week=name,
            grade_band=band,
            lessons=lessons,
            classes=12,
            teachers=8,
            devices=28,
            evidence=evidence,
            visibility=round(float(self._rng.uniform(0.4, 1)), 6),
            sources=SOURCES,
            features=self._features(round(1.1 * evidence / lessons, 3)),
            placements=tuple(
                WeekPlacement(
                    "tim", dimension, VERSION, tuple(lessons * p for p in self._probs()), 0, 0, lessons
                )
                for dimension in DIMENSIONS
            ),
        )

    def status(self, now: datetime) -> StatusRecord:
        """A heartbeat."""
        return StatusRecord(self.school, (SourceFreshness("dnsmasq", now.isoformat()),), 0, "0.1.0")

    def _features(self, evidence: float) -> dict[str, float | None]:
        """Of a lesson with this evidence, or of a week whose lessons have it on average."""
        values = dict(
            zip(FEATURES, self._rng.dirichlet(np.full(len(FEATURES), 0.8)).round(9).tolist(), strict=True)
        )
        values["evidence"] = evidence
        values["choice_dispersion"] = min(values["choice_dispersion"], values["app_entropy"])
        return {name: values[name] if seen else None for name, seen in zip(FEATURES, _SEEN, strict=True)}

    def _probs(self) -> tuple[float, ...]:
        # Rounded like an agent's; the last one takes what rounding left.
        first = [round(float(p), 6) for p in self._rng.dirichlet(np.full(_STAGES, 2.0))[:-1]]
        return (*first, round(max(0.0, 1 - sum(first)), 6))


def school_weeks(years: Sequence[int]) -> Iterator[tuple[int, date]]:
    """Mondays of the 38 school weeks of years that begin in these autumns, each with its half of the year."""
    for year in years:
        first = date(year, 9, 1)
        monday = first + timedelta(days=-first.weekday() % 7)
        for number in range(38):
            yield (2 * year + number // 19), monday + timedelta(weeks=number)
