"""Whether later lessons still look like those of the fit: population stability of each feature.

PSI = sum over bins of (a - e) ln(a / e), e the share of the fit's windows in a bin and a the later ones'
(Lewis 1994, An Introduction to Credit Scoring; it is Jeffreys' divergence of 1946). Bins lie between deciles
of the fit.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.metrics import Z90
from models.features.set1 import FEATURES
from models.scoring.fit_file import FeatureReference, Fit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SOME: Final = 0.1
MUCH: Final = 0.25  # both by convention of credit scoring (Siddiqi 2006) alone: no theory stands behind them
FEWEST: Final = 30  # later lessons that show a feature, below which no index is made
_PILE: Final = 0.01  # share of later lessons with one and the same value, from which on it is no chance
_LEAST_BIN: Final = 0.05  # share of the fit that a bin must hold to be one


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """One feature in `lessons` later lessons, `missing` the share of them that does not show it.

    was_missing: the same share of the fit's rated windows, None where the fit is silent. psi is None where
    none can be made: `in_fit` tells whether the fit ever saw the feature. by_chance is what one in twenty
    samples of that many unchanged lessons exceeds.
    """

    feature: int
    lessons: int
    missing: float
    was_missing: float | None
    in_fit: bool
    psi: float | None
    by_chance: float | None


def psi(expected: Floats, counts: Ints) -> float:
    """Population stability of counts [b] of later lessons against expected shares [b], which sum to 1.

    Half a lesson is added to every bin, because an empty one would make the index infinite.
    """
    actual = (counts + 0.5) / (counts.sum() + 0.5 * len(counts))
    known = np.maximum(expected, 1e-6)
    return float(((actual - known) * np.log(actual / known)).sum())


def psi_by_chance(bins: int, lessons: int, windows: int) -> float:
    """The 95th percentile of the index of lessons that did not change at all.

    (1/n + 1/m) chi-squared with bins - 1 degrees of freedom (Yurdakul 2018), its percentile by Wilson and
    Hilferty (1931). Lessons count as independent.
    """
    if bins < 2:
        return 0.0
    free = bins - 1
    chi = free * (1 - 2 / (9 * free) + Z90 * math.sqrt(2 / (9 * free))) ** 3
    return chi * (1 / lessons + 1 / max(1, windows))


def drift(x: Floats, fit: Fit) -> tuple[FeatureDrift, ...]:
    """Drift of each feature of later rows [n, 24], NaN where missing, n > 0, against a fit's windows."""
    shown = _shown(fit)
    return tuple(
        _of_feature(i, x[:, i], fit.reference, None if shown is None else 1 - shown[i])
        for i in range(len(FEATURES))
    )


def _shown(fit: Fit) -> tuple[float, ...] | None:
    """The share of rated windows that show each feature [24], from the dimension with the most ratings."""
    known = [one for one in fit.dimensions.values() if one.groups is not None]
    most = max(known, key=lambda one: one.ratings, default=None)
    return most.groups.visible if most and most.groups else None


def _of_feature(
    i: int, column: Floats, reference: FeatureReference, was_missing: float | None
) -> FeatureDrift:
    seen, deciles = column[~np.isnan(column)], reference.bins[i]
    missing = 1 - len(seen) / len(column)
    if not deciles or len(seen) < FEWEST:
        return FeatureDrift(i, len(column), missing, was_missing, bool(deciles), None, None)
    expected, counts = bins_of(seen, np.array(deciles), reference.mean[i])
    chance = psi_by_chance(len(expected), len(seen), reference.windows)
    return FeatureDrift(i, len(column), missing, was_missing, True, psi(expected, counts), chance)


def bins_of(seen: Floats, deciles: Floats, mean: float) -> tuple[Floats, Ints]:
    """Shares that the fit expects [b] and later lessons counted [b] in each bin between deciles [9].

    Where many lessons have one and the same value, deciles tell only within a tenth how many of the fit's
    did. Bins end at the other deciles; where there is no other, each share is taken as near to the later
    lessons' as the deciles allow. A feature that is only ever 0 or 1 is known by its mean.
    """
    if 0 < mean < 1 and np.isin(deciles, (0.0, 1.0)).all() and np.isin(seen, (0.0, 1.0)).all():
        ones = int(seen.sum())
        return np.array([1 - mean, mean]), np.array([len(seen) - ones, ones])
    shares, counts = [0.0], [0]
    rising = np.sort(seen)
    for share, below in list(_sharp(rising, deciles)) or _nearest(rising, deciles):
        if share - shares[-1] >= _LEAST_BIN and 1 - share >= _LEAST_BIN:
            shares.append(share)
            counts.append(below)
    return np.diff([*shares, 1.0]), np.diff([*counts, len(seen)])


def _sharp(seen: Floats, deciles: Floats) -> Iterator[tuple[float, int]]:
    """Cuts at deciles where no values pile up: the share of the fit below, and the later lessons there."""
    values, times = np.unique(deciles, return_counts=True)
    alone = set(values[times == 1].tolist())
    for i, value in enumerate(deciles.tolist()):
        under, upto = _below(seen, value)
        if value in alone and upto - under < _PILE * len(seen):
            yield (i + 1) / 10, upto


def _nearest(seen: Floats, deciles: Floats) -> Iterator[tuple[float, int]]:
    """Cuts before and after each value that piles up, rising, as near to the later lessons' as can be."""
    values, first, times = np.unique(deciles, return_index=True, return_counts=True)
    for value, at, many in zip(values.tolist(), first.tolist(), times.tolist(), strict=True):
        under, upto = _below(seen, value)
        yield min(max(under / len(seen), at / 10), (at + 1) / 10), under
        yield min(max(upto / len(seen), (at + many) / 10), (at + many + 1) / 10), upto


def _below(seen: Floats, value: float) -> tuple[int, int]:
    """How many of the rising values lie below, and how many at or below."""
    return int(np.searchsorted(seen, value, side="left")), int(np.searchsorted(seen, value, side="right"))
