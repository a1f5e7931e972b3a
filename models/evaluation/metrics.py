"""How well stage probabilities and sets meet the levels that coaches gave: everything but calibration.

probs are float64 [n, K] with rows that sum to 1; levels int64 [n], 0..K-1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.agreement import kappa_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Z90: Final = 1.6448536269514722  # 95th percentile of the normal distribution: two-sided 90%
SHARES: Final = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


@dataclass(frozen=True, slots=True)
class Share:
    """hits of n, and the ends of a two-sided 90% interval; all NaN if n is 0."""

    hits: int
    n: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Covered:
    """How often sets held the rating, and how many stages they span on average (NaN without sets)."""

    coverage: Share
    size: float


@dataclass(frozen=True, slots=True)
class Kept:
    """What remains when only the most certain `share` of ratings' placements is kept."""

    share: float
    ratings: int
    accuracy: float
    kappa: float


def likeliest(probs: Floats) -> Ints:
    """The level [n] with the highest probability; of equals the lowest."""
    levels: Ints = probs.argmax(axis=1)
    return levels


def median_level(probs: Floats) -> Ints:
    """The median level [n]: the lowest k with P(y <= k) >= 1/2; it minimises the expected absolute error."""
    below = np.cumsum(probs, axis=1)
    levels: Ints = (below[:, :-1] < 0.5).sum(axis=1)
    return levels


def mean_level(probs: Floats) -> Ints:
    """The expected level [n], rounded, halves up; it minimises the expected squared error over levels."""
    expected: Floats = probs @ np.arange(probs.shape[1])
    levels: Ints = np.floor(expected + 0.5).astype(np.int64)
    return levels


# One level from a distribution. The likeliest keeps the extremes that the others draw to the middle: on
# calibrated proportional odds its kappa is the highest wherever the features say enough to be of use.
RULES: Final = MappingProxyType({"likeliest": likeliest, "median": median_level, "mean": mean_level})
DEFAULT_RULE: Final = "likeliest"


def within(placed: Ints, level: Ints, steps: int) -> float:
    """Share of placed levels [n] at most `steps` from the rating; 0 steps is accuracy. NaN if n is 0."""
    return float((np.abs(placed - level) <= steps).mean()) if len(level) else float("nan")


def rank_scores(probs: Floats, level: Ints) -> Floats:
    """Ranked probability scores [n]: sum over k < K - 1 of (P(y <= k) - [level <= k])^2 / (K - 1).

    0 is certain and right, 1 certain and at the other end (Epstein 1969; Murphy 1971). Lower is better.
    """
    cuts = probs.shape[1] - 1
    below = np.cumsum(probs, axis=1)[:, :-1]
    scores: Floats = np.square(below - (level[:, None] <= np.arange(cuts))).sum(axis=1) / cuts
    return scores


def shares_of(level: Ints, stages: int) -> Floats:
    """The share [K] of each level among ratings [n], n > 0."""
    return np.bincount(level, minlength=stages) / len(level)


def wilson(hits: int, n: int, z: float = Z90) -> Share:
    """A share with Wilson's (1927) interval, by default 90%: (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) /
    (1 + z^2/n). It takes ratings as independent; where lessons of a school resemble one another it is narrow.
    """
    if n == 0:
        return Share(0, 0, *(float("nan"),) * 3)
    p = hits / n
    middle = p + z * z / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low, high = (middle - half) / scale, (middle + half) / scale
    return Share(hits, n, p, float(min(max(low, 0.0), p)), float(max(min(high, 1.0), p)))


def covered(low: Ints, high: Ints, level: Ints) -> Covered:
    """Coverage and mean size of sets low..high [n], inclusive; rows with low < 0 have none: left out."""
    has = low >= 0
    inside = (low <= level) & (level <= high) & has
    n = int(has.sum())
    size = float((high - low + 1)[has].mean()) if n else float("nan")
    return Covered(wilson(int(inside.sum()), n), size)


def evidence_groups(share: Floats, least: Floats) -> Ints:
    """The evidence group [n] of windows: the last whose lower end [g], rising from 0, is at most their share.

    share: evidence by the reference's median; where it is missing (NaN), the group is -1.
    """
    group = np.searchsorted(least, np.nan_to_num(share, nan=0.0), side="right") - 1
    return np.where(np.isnan(share), -1, group)


def covered_by_group(low: Ints, high: Ints, level: Ints, group: Ints, groups: int) -> tuple[Covered, ...]:
    """`covered` for each evidence group 0..groups-1; ratings of group -1 are in none."""
    picks = (group == g for g in range(groups))
    return tuple(covered(low[pick], high[pick], level[pick]) for pick in picks)


def abstention_curve(
    probs: Floats, placed: Ints, level: Ints, shares: tuple[float, ...] = SHARES
) -> tuple[Kept, ...]:
    """Accuracy and quadratic weighted kappa when only the most certain share of placements is kept.

    Certainty is the highest probability. Equally certain ones stay together, so more may be kept than asked;
    how rows are ordered changes nothing. A curve that does not rise says that certainty means nothing
    (El-Yaniv and Wiener 2010).
    """
    n, stages = probs.shape
    certain = np.round(probs.max(axis=1), 12)
    order = np.argsort(-certain, kind="stable")
    falling = -certain[order]
    tables = np.zeros((n + 1, stages, stages), np.int32)
    tables[np.arange(1, n + 1), placed[order], level[order]] = 1
    np.cumsum(tables, axis=0, out=tables)
    found = []
    for share in shares:
        asked = min(n, int(np.ceil(share * n - 1e-9)))
        kept = int(np.searchsorted(falling, falling[asked - 1], side="right")) if asked else 0
        table = tables[kept]
        accuracy = float(np.trace(table) / kept) if kept else float("nan")
        found.append(Kept(share, kept, accuracy, float(kappa_of(table))))
    return tuple(found)


def by_rule(probs: Floats, level: Ints) -> Mapping[str, tuple[float, float, float]]:
    """Kappa, accuracy and share within one of each rule that makes one level of a distribution."""
    found = {}
    for name, rule in RULES.items():
        placed = rule(probs)
        table = np.zeros((probs.shape[1],) * 2)
        np.add.at(table, (placed, level), 1)
        found[name] = (float(kappa_of(table)), within(placed, level, 0), within(placed, level, 1))
    return found
