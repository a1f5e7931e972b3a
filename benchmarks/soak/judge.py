"""Whether a series is flat: its slope an hour against a stated tolerance. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from benchmarks.harness import median, percentile
from benchmarks.soak.load import DAY, SPEED
from benchmarks.soak.watch import Sample

DAY_MINUTES: Final = DAY / SPEED / 60
# From then on as many days are forgotten as begin: a key lives for a day and a half, a day lasts ten minutes.
STEADY_MINUTES: Final = 2.5 * DAY_MINUTES
SETTLING_SHARE: Final = 0.4  # of a run too short for that
LEAST_MINUTES: Final = 40.0  # shorter runs are not judged: a slope of minutes says nothing of an hour


@dataclass(frozen=True, slots=True)
class Series:
    """What is drawn and judged: `most` is the slope that is still flat, in `unit` an hour."""

    title: str
    unit: str
    of: Callable[[Sample], float]
    most: float
    digits: int = 1


SERIES: Final = (
    Series("agent: processor", "% of one core", lambda s: 100 * s.agent_core, 3.0),
    Series("agent: resident memory", "MiB", lambda s: s.agent_mib, 6.0),
    Series("agent: line to its disk", "s", lambda s: s.to_store, 0.25, 2),
    Series("agent: write-ahead log", "MiB", lambda s: s.agent_log, 8.0),
    Series("hub: processor", "% of one core", lambda s: 100 * s.hub_core, 1.0),
    Series("hub: resident memory", "MiB", lambda s: s.hub_mib, 6.0),
    Series("hub: record to its disk", "s", lambda s: s.to_hub, 0.25, 2),
    Series("hub: write-ahead log", "MiB", lambda s: s.hub_log, 8.0),
)
# Files keep what they are meant to keep, so that they are judged by what a lesson leaves behind.
AGENT_KIB_A_LESSON: Final = 12.0
HUB_KIB_A_RECORD: Final = 24.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A line of the report; `flat` is None where the run was too short to say."""

    title: str
    unit: str
    middle: str
    p99: str
    slope: str
    allowed: str
    flat: bool | None


def verdicts(samples: Sequence[Sample]) -> list[Verdict]:
    """All of them, over the time after settling."""
    judged = settled(samples)
    long = samples[-1].minute >= LEAST_MINUTES
    found = [_of_series(series, judged, long) for series in SERIES]
    return [
        *found,
        _of_file("agent: database", judged, long, "lesson", AGENT_KIB_A_LESSON),
        _of_file("hub: database", judged, long, "record", HUB_KIB_A_RECORD),
    ]


def settled(samples: Sequence[Sample]) -> list[Sample]:
    """Those after the run has settled."""
    whole = samples[-1].minute
    begin = STEADY_MINUTES if whole >= LEAST_MINUTES else SETTLING_SHARE * whole
    return [sample for sample in samples if sample.minute >= begin]


def slope_an_hour(points: Sequence[tuple[float, float]]) -> float:
    """Theil-Sen slope of (minute, value), an hour: the median of all pairs', deaf to a few outliers."""
    slopes = [(b - a) / (u - t) * 60 for (t, a), (u, b) in combinations(points, 2) if u > t]
    return median(slopes) if slopes else math.nan


def by_minute(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The medians of whole minutes; NaN is left out."""
    minutes: dict[int, list[float]] = {}
    for minute, value in points:
        if not math.isnan(value):
            minutes.setdefault(int(minute), []).append(value)
    return [(minute + 0.5, median(values)) for minute, values in sorted(minutes.items())]


def _of_series(series: Series, samples: Sequence[Sample], long: bool) -> Verdict:
    points = [(sample.minute, series.of(sample)) for sample in samples]
    values = [value for _, value in points if not math.isnan(value)]
    slope = slope_an_hour(by_minute(points))
    digits = series.digits

    def said(value: float) -> str:
        return f"{value:.{digits}f}"

    if not values:
        return Verdict(series.title, series.unit, "none", "none", "none", f"{series.most:g}", None)
    return Verdict(
        series.title,
        series.unit,
        said(median(values)),
        said(percentile(values, 0.99)),
        f"{slope:+.{digits}f} an hour" if long else "too short a run",
        f"{series.most:+g} an hour",
        slope <= series.most if long else None,
    )


def _of_file(title: str, samples: Sequence[Sample], long: bool, what: str, most: float) -> Verdict:
    agent = what == "lesson"
    sizes = [sample.agent_file if agent else sample.hub_file for sample in samples]
    counts = [sample.lessons if agent else sample.records for sample in samples]
    grown, more = (sizes[-1] - sizes[0]) * 1024, counts[-1] - counts[0]
    each = grown / more if more else math.nan
    return Verdict(
        title,
        "MiB",
        f"{median(sizes):.1f}",
        f"{percentile(sizes, 0.99):.1f}",
        f"{each:.1f} KiB a {what}" if long else "too short a run",
        f"{most:g} KiB a {what}",
        each <= most if long and more else None,
    )
