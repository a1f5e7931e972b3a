"""Merging placements of many weeks and schools into one distribution by dimension; pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.known import Known
from hub.views.bands import band
from hub.views.common import Channels, Distribution

SCHOOLS_FOR_A_RANGE = 3

CHANNEL_FEATURES = {
    "consume": "consume_share",
    "practise": "practise_share",
    "create": "create_share",
    "collaborate": "collaborate_share",
    "publish": "publish_share",
    "reflect": "reflect_share",
    "plan": "plan_share",
}


@dataclass(frozen=True, slots=True)
class Part:
    """What one school's week says on one dimension: expected lessons by stage, and verdicts."""

    school: int
    model: str
    dimension: str
    version: str
    expected: tuple[float, ...]
    placed: int
    thin: int
    evidence_only: int

    @property
    def lessons(self) -> int:
        """Lessons judged."""
        return self.placed + self.thin + self.evidence_only


def distributions(parts: Iterable[Part], known: Known) -> tuple[Distribution, ...]:
    """One distribution for each model and dimension, in the model's order.

    Placements of several versions of a model, or of several numbers of stages, are never added up: the
    one of the most schools is shown, so that no school alone decides for all (of two, the one with more
    lessons, then the later by name), and the lessons of the others are counted.
    """
    groups: dict[tuple[str, str], dict[tuple[str, int], list[Part]]] = defaultdict(lambda: defaultdict(list))
    for part in parts:
        groups[part.model, part.dimension][part.version, len(part.expected)].append(part)
    ordered = sorted(groups, key=lambda key: known.order(*key))
    return tuple(_distribution(groups[key], known) for key in ordered)


def _distribution(versions: Mapping[tuple[str, int], list[Part]], known: Known) -> Distribution:
    def lessons(key: tuple[str, int]) -> int:
        return sum(part.lessons for part in versions[key])

    def schools(key: tuple[str, int]) -> int:
        return len({part.school for part in versions[key]})

    chosen = max(versions, key=lambda key: (schools(key), lessons(key), key))
    parts = versions[chosen]
    first = parts[0]
    by_school: dict[int, list[Part]] = defaultdict(list)
    for part in parts:
        by_school[part.school].append(part)
    expected = _total(parts)
    shares, wide = normalised(expected), known.shown_as(first.model, first.dimension) == "band"
    judged, inferred = lessons(chosen), sum(part.evidence_only for part in parts)
    low, high = _between([normalised(_total(own)) for own in by_school.values()])
    return Distribution(
        model=first.model,
        dimension=first.dimension,
        label=known.label(first.model, first.dimension),
        stages=known.stage_names(first.model, first.dimension, chosen[1]),
        version=first.version,
        grain=known.grain(first.model),
        shown_as="band" if wide else "stages",
        band=band(shares) if wide else None,
        calibrated=judged > 0 and not inferred,
        lessons=judged,
        schools=len(by_school),
        expected=expected,
        shares=shares,
        placed=sum(part.placed for part in parts),
        thin=sum(part.thin for part in parts),
        evidence_only=inferred,
        between_low=low,
        between_high=high,
        other_versions=sum(lessons(key) for key in versions if key != chosen),
    )


def _total(parts: Sequence[Part]) -> tuple[float, ...]:
    return tuple(map(sum, zip(*(part.expected for part in parts), strict=True)))


def normalised(values: Sequence[float]) -> tuple[float, ...]:
    """`values` over their sum; empty when they sum to nothing."""
    total = sum(values)
    return tuple(value / total for value in values) if total > 0 else ()


def _between(
    shares: Iterable[tuple[float, ...]],
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    known = [share for share in shares if share]
    if len(known) < SCHOOLS_FOR_A_RANGE:
        return None, None
    stages = list(zip(*known, strict=True))
    return tuple(map(min, stages)), tuple(map(max, stages))


def weighted_mean(values: Iterable[tuple[float | None, float]]) -> float | None:
    """Mean of `(value, weight)` over the known values; None when they weigh nothing."""
    known = [(value, weight) for value, weight in values if value is not None and weight > 0]
    weight = sum(weight for _, weight in known)
    return sum(value * own for value, own in known) / weight if weight else None


def channels(features: Mapping[str, float | None]) -> Channels:
    """Use by channel from the share features; the rest is `other`."""
    shares = {channel: features.get(name) for channel, name in CHANNEL_FEATURES.items()}
    known = [share for share in shares.values() if share is not None]
    other = max(0.0, 1 - sum(known)) if len(known) == len(shares) else None
    return Channels(**shares, other=other)
