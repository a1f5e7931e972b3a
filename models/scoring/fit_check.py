"""Checks of every number of a fit's file, so that whoever scores, shows or exports it may rely on them.

Checks come in an order: each may rely on those before it, so only the first finding is sure to be there.
"""

import itertools
import math
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Final

from models.features.set1 import EVIDENCE, FEATURES
from models.scoring.fit_groups import group_findings
from models.scoring.strict import finite

if TYPE_CHECKING:
    from models.scoring.fit_file import (
        DimensionFit,
        Effect,
        FeatureReference,
        Fit,
        HeldOut,
        Quadrature,
        Sets,
    )

RUBRIC: Final = "rubric"  # stands where a fit has its day, if no rating stands behind it

_MANY: Final = len(FEATURES)
_DECILES: Final = 9
_LEAST_AGREEMENT: Final = -10.0  # alpha has no lower end, but none that is real lies near this
_LARGEST: Final = 1e9  # as features are read: see models.tables.features
_LEAST_SD: Final = 1e-9
_MOST_ODDS: Final = 1e3  # log-odds
_MOST_GROUPS: Final = 100
_MOST: Final = 10**9  # ratings in one cell: more is no count of anything


def findings(fit: "Fit", enough: int) -> Iterator[str]:
    """What is wrong with a fit, in words; fewer than `enough` ratings calibrate no dimension."""
    yield from _of_reference(fit.reference)
    bare = fit.fitted == RUBRIC and not any(one.ratings for one in fit.dimensions.values())
    if not (bare or _is_date(fit.fitted)):
        yield "`fitted` must be a date such as 2025-03-04"
    if fit.seed < 0:
        yield "the seed must not be negative"
    for name, dimension in fit.dimensions.items():
        for text in _of_dimension(dimension, enough):
            yield f"dimension `{name[:40]}`: {text}"


def _of_reference(reference: "FeatureReference") -> Iterator[str]:
    if not len(reference.mean) == len(reference.sd) == len(reference.bins) == _MANY:
        yield f"the reference must have {_MANY} features"
    if not finite(reference.mean, reference.sd) or max(map(abs, reference.mean)) > _LARGEST:
        yield f"means must be finite, and at most {_LARGEST:g}"
    if not all(_LEAST_SD <= sd <= _LARGEST for sd in reference.sd):
        yield f"standard deviations must lie from {_LEAST_SD:g} to {_LARGEST:g}"
    if not _LEAST_SD <= reference.median_evidence <= _LARGEST:
        yield "the median of evidence must be above 0"
    if reference.windows < 0:
        yield "the count of windows must not be negative"
    for bins in reference.bins:
        falls = any(a > b for a, b in itertools.pairwise(bins))
        if len(bins) not in (0, _DECILES) or not finite(bins) or falls:
            yield f"the reference's bins must be {_DECILES} deciles that do not fall, or none"


def _of_dimension(one: "DimensionFit", enough: int) -> Iterator[str]:
    cuts, weights = one.cutpoints, one.weights
    size = _MANY + len(cuts)
    if len(weights) != _MANY or not finite(weights, cuts) or weights[EVIDENCE] != 0:
        yield f"weights must be {_MANY} finite numbers, none for evidence"
    if max(map(abs, (*weights, *cuts))) > _MOST_ODDS:
        yield f"weights and cutpoints must be log-odds of at most {_MOST_ODDS:g}"
    if len(cuts) != len(one.stages) - 1 or any(a >= b for a, b in itertools.pairwise(cuts)):
        yield "cutpoints must rise, one between each two stages"
    if not (0 < one.noise_share <= 1 and 0 < one.conditional <= 1):
        yield "noise_share and conditional must lie above 0 and up to 1"
    if len(one.covariance) not in (0, size) or any(len(row) != size for row in one.covariance):
        yield f"the covariance must be {size} by {size} numbers"
    if not finite(*one.covariance) or any(row[i] < 0 for i, row in enumerate(one.covariance)):
        yield "the covariance must be finite, no variance below 0"
    if not (math.isfinite(one.rubric_weight) and math.isfinite(one.weight_sd) and one.weight_sd >= 0):
        yield "the prior must be finite"
    yield from _of_spread(one.school_sd)
    yield from _of_spread(one.coach_sd)
    if min(one.ratings, one.left_out.briefed, one.left_out.unknown_window) < 0:
        yield "counts must not be negative"
    if one.calibrated != (one.sets is not None):
        yield "a calibrated dimension has sets, no other has"
    if one.calibrated and one.ratings < enough:
        yield f"fewer than {enough} ratings calibrate nothing"
    yield from _of_parts(one)


def _of_parts(one: "DimensionFit") -> Iterator[str]:
    if not all(map(_within_interval, (*one.coaches, *one.schools))):
        yield "effects must be finite, each within its interval"
    agreed = (one.agreement.kappa, one.agreement.alpha) if one.agreement else ()
    if any(value is not None and not _LEAST_AGREEMENT <= value <= 1 for value in agreed):
        yield "agreement must be at most 1"
    if one.agreement is not None and not 0 <= one.agreement.windows <= _MOST:
        yield "agreement must be of a count of windows"
    if one.sets is not None:
        yield from _of_sets(one.sets)
    if one.held_out is not None:
        yield from _of_held_out(one.held_out, len(one.stages))
    if one.groups is not None:
        if not one.calibrated:
            yield "groups belong to a calibrated dimension"
        yield from group_findings(one.groups, len(one.stages), _MANY)


def _of_spread(spread: "Quadrature") -> Iterator[str]:
    if len(spread.sd) != len(spread.weight) or not spread.sd or not finite(spread.sd, spread.weight):
        yield "a standard deviation needs values and weights"
    elif min(*spread.sd, *spread.weight) < 0 or abs(math.fsum(spread.weight) - 1) > 1e-6:
        yield "weights of a standard deviation must sum to 1"


def _of_sets(sets: "Sets") -> Iterator[str]:
    least = [group.least for group in sets.groups]
    thresholds = [group.threshold for group in sets.groups]
    if not least or least[0] != 0 or not finite(least) or any(a >= b for a, b in itertools.pairwise(least)):
        yield "evidence groups must rise from 0"
    if not _shares(*thresholds) or sorted(thresholds, reverse=True) != thresholds:
        yield "thresholds lie between 0 and 1, and thinner evidence never has the lower one"
    if len(sets.groups) > _MOST_GROUPS:
        yield f"there must be at most {_MOST_GROUPS} evidence groups"
    if not all(0 <= group.ratings <= _MOST for group in sets.groups):
        yield "evidence groups must count ratings"
    if not 0 < sets.miscoverage < 1:
        yield "sets must promise a share of the ratings"


def _of_held_out(held: "HeldOut", stages: int) -> Iterator[str]:
    cells = [count for row in held.confusion for count in row]
    if [len(row) for row in held.confusion] != [stages] * stages:
        yield f"the confusion must be {stages} by {stages}"
    if not (sum(cells) and all(0 <= count <= _MOST for count in cells)):
        yield "the confusion must hold counts"
    if held.kappa is not None and not -1 <= held.kappa <= 1:
        yield "held-out kappa must lie between -1 and 1"
    if not _shares(held.accuracy, held.within_one, held.ece, held.rps, held.coverage):
        yield "held-out figures must lie between 0 and 1"
    if not 1 <= held.size <= stages:
        yield f"sets span 1 to {stages} stages"
    for one in held.calibration:
        if not 0 <= one.stage < stages - 1 or not 0 < one.ratings <= _MOST:
            yield "a calibration bin must have a cutpoint and ratings"
        if not _shares(one.predicted, one.seen):
            yield "a calibration bin must hold shares"
    for group in held.groups:
        if not (_shares(group.coverage) and 1 <= group.size <= stages and 0 < group.ratings <= _MOST):
            yield "an evidence group must have ratings, a coverage and a size"
        if not (math.isfinite(group.least) and group.least >= 0):
            yield "an evidence group must begin at 0 or above"


def _is_date(text: str) -> bool:
    """Whether it is an RFC 3339 full-date of the calendar."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _within_interval(effect: "Effect") -> bool:
    ends = (effect.low, effect.mean, effect.high)
    return finite(ends) and sorted(ends) == list(ends) and 0 <= effect.ratings <= _MOST


def _shares(*values: float) -> bool:
    return all(0 <= value <= 1 for value in values)
