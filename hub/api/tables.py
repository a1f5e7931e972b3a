"""Views as rows of a table, for the CSV answers; pure."""

from collections.abc import Iterable, Iterator, Sequence

from hub.api.reading import Cell
from hub.views import (
    Channels,
    Distribution,
    LessonView,
    Moved,
    PlacementView,
    SchoolSummary,
    SchoolWeek,
    UsageWeek,
)
from shared.words import CHANNELS

Row = tuple[Cell, ...]


def _columns(names: str) -> tuple[str, ...]:
    return tuple(names.split())


_SPREAD = _columns("model dimension version calibrated stage stage_name")
SCHOOLS = _columns(
    "slug name simulated joined last_heard freshness lessons_shared weeks latest_week visibility backlog"
)
DISTRIBUTION = _SPREAD + _columns(
    "expected share between_low between_high lessons schools placed thin evidence_only grain shown_as"
)
PLACEMENTS = _SPREAD + _columns("probability in_set verdict grain shown_as")
MOVED = _columns("start model dimension version calibrated feature value typical push total kept why_not")
WEEKS = _columns("week bands lessons classes teachers devices evidence visibility sources") + CHANNELS
LESSONS = (
    _columns("start minutes grade_band subject devices expected evidence visibility sources revision")
    + CHANNELS
)
STRIP = _columns("start minute") + CHANNELS
USAGE_WEEKS = _columns("week days products engagement app_entropy unlisted_share") + CHANNELS


def schools(summaries: Iterable[SchoolSummary]) -> Iterator[Row]:
    """One row a school."""
    return (tuple(getattr(one, name) for name in SCHOOLS) for one in summaries)


def spread(distributions: Iterable[Distribution], *before: Cell) -> Iterator[Row]:
    """One row for each distribution and stage, `before` in front."""
    for one in distributions:
        for i, stage in enumerate(one.stages):
            yield (
                *before,
                *(one.model, one.dimension, one.version, one.calibrated, i, stage),
                one.expected[i],
                _at(one.shares, i),
                _at(one.between_low, i),
                _at(one.between_high, i),
                *(one.lessons, one.schools, one.placed, one.thin, one.evidence_only),
                *(one.grain, one.shown_as),
            )


def placements(found: Iterable[PlacementView], *before: Cell) -> Iterator[Row]:
    """One row for each placement and stage, `before` in front."""
    for one in found:
        for i, stage in enumerate(one.stages):
            in_set = None if one.low is None or one.high is None else one.low <= i <= one.high
            yield (
                *before,
                *(one.model, one.dimension, one.version, one.calibrated, i, stage),
                *(one.probs[i], in_set, one.verdict, one.grain, one.shown_as),
            )


def moved(found: Iterable[Moved]) -> Iterator[Row]:
    """One row for each placement and feature that counts; one alone where nothing can be told."""
    for one in found:
        own = (one.start, one.model, one.dimension, one.version, one.calibrated)
        whole = (one.total, one.kept, one.why_not)
        if one.why_not:
            yield *own, None, None, None, None, *whole
        for item in one.contributions:
            yield *own, item.feature, item.value, item.typical, item.push, *whole


def weeks(found: Iterable[SchoolWeek]) -> Iterator[Row]:
    """One row a week."""
    for one in found:
        facts = (one.lessons, one.classes, one.teachers, one.devices, one.evidence, one.visibility)
        yield one.week, ";".join(one.bands), *facts, ";".join(one.sources), *_shares(one.channels)


def lessons(found: Iterable[LessonView]) -> Iterator[Row]:
    """One row a lesson."""
    for one in found:
        facts = (one.devices, one.expected, one.evidence, one.visibility, ";".join(one.sources), one.revision)
        yield one.start, one.minutes, one.grade_band, one.subject, *facts, *_shares(one.channels)


def strips(found: Iterable[LessonView]) -> Iterator[Row]:
    """One row for each five minutes of each lesson; a channel that the step lacks is 0."""
    for one in found:
        for i, step in enumerate(one.strip):
            yield one.start, 5 * i, *(step.get(channel, 0.0) for channel in CHANNELS)


def usage_weeks(found: Iterable[UsageWeek]) -> Iterator[Row]:
    """One row a week."""
    for one in found:
        own = (one.features.get("app_entropy"), one.features.get("unlisted_share"))
        yield one.week, one.days, one.products, one.engagement, *own, *_shares(one.channels)


def _shares(channels: Channels) -> Row:
    return tuple(getattr(channels, channel) for channel in CHANNELS)


def _at(values: Sequence[float] | None, i: int) -> float | None:
    return values[i] if values else None
