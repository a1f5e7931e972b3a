"""Checks of what a card draws and the scorer never reads, so that a strange fit is refused in one line."""

import itertools
import math
from collections.abc import Iterator
from datetime import date
from typing import Final

from models.scoring.fit_file import DimensionFit, Effect, Fit, HeldOut
from shared.errors import BadInput

_DECILES: Final = 9
_LEAST_AGREEMENT: Final = -10.0  # alpha has no lower end, but none that is real lies near this
_MOST: Final = 10**9  # ratings in one cell: more is no count of anything


def checked(fit: Fit, name: str) -> Fit:
    """The fit, if its dates, counts and figures can be shown. Raises BadInput with the first that cannot."""
    for wrong in _findings(fit):
        raise BadInput("fit_malformed", f"{name}: {wrong}: fetch or fit it again")
    return fit


def _findings(fit: Fit) -> Iterator[str]:
    try:
        date.fromisoformat(fit.fitted)
    except ValueError:
        yield "`fitted` must be a date such as 2025-03-04"
    if fit.seed < 0 or fit.reference.windows < 0:
        yield "seed and windows must not be negative"
    for bins in fit.reference.bins:
        if len(bins) not in (0, _DECILES) or not _rising(bins):
            yield f"the reference's bins must be {_DECILES} deciles that do not fall, or none"
    for dimension in fit.dimensions.values():
        yield from _of_dimension(dimension)


def _of_dimension(one: DimensionFit) -> Iterator[str]:
    if min(one.ratings, one.left_out.briefed, one.left_out.unknown_window) < 0:
        yield "counts must not be negative"
    if not all(map(_ordered, (*one.coaches, *one.schools))):
        yield "effects must be finite, each within its interval"
    if any(one.covariance[i][i] < 0 for i in range(len(one.covariance))):
        yield "a variance must not be negative"
    if not (math.isfinite(one.rubric_weight) and math.isfinite(one.weight_sd) and one.weight_sd >= 0):
        yield "the prior must be finite"
    if one.sets is not None and not 0 < one.sets.miscoverage < 1:
        yield "sets must promise a share of the ratings"
    agreed = (one.agreement.kappa, one.agreement.alpha) if one.agreement else ()
    if any(value is not None and not _LEAST_AGREEMENT <= value <= 1 for value in agreed):
        yield "agreement must be at most 1"
    if one.held_out is not None:
        yield from _of_held_out(one.held_out, len(one.stages))


def _of_held_out(held: HeldOut, stages: int) -> Iterator[str]:
    cells = [count for row in held.confusion for count in row]
    if [len(row) for row in held.confusion] != [stages] * stages:
        yield f"the confusion must be {stages} by {stages}"
    if not (cells and sum(cells) and all(0 <= count <= _MOST for count in cells)):
        yield "the confusion must hold counts"
    if not -1 <= held.kappa <= 1 or not _shares(held.accuracy, held.within_one, held.ece, held.rps):
        yield "held-out figures must lie between 0 and 1"
    if not _shares(held.coverage) or not 1 <= held.size <= stages:
        yield f"sets span 1 to {stages} stages and hold a share of the ratings"
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


def _ordered(effect: Effect) -> bool:
    ends = (effect.low, effect.mean, effect.high)
    return all(map(math.isfinite, ends)) and sorted(ends) == list(ends) and 0 <= effect.ratings <= _MOST


def _shares(*values: float) -> bool:
    return all(0 <= value <= 1 for value in values)


def _rising(bins: tuple[float, ...]) -> bool:
    return all(map(math.isfinite, bins)) and all(a <= b for a, b in itertools.pairwise(bins))
