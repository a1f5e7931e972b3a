"""Thresholds of the stages' sets by evidence group, so that sets hold the rating as often as they promise."""

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.scoring.sets import group_thresholds, mass_before

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MISCOVERAGE: Final = 0.1
GROUPS: Final = 3
LEAST_RATINGS: Final = 30


@dataclass(frozen=True, slots=True)
class Group:
    """Windows with at least `least` times the median evidence, to the next group's; ratings behind it."""

    least: float
    threshold: float
    ratings: int


def nonconformity(probs: Floats, level: Ints) -> Floats:
    """How much probability a set holds before it takes the rated level in, [n] of probs [n, K]."""
    scores: Floats = mass_before(probs)[np.arange(len(level)), level]
    return scores


def calibrate(scores: Floats, share: Floats, miscoverage: float = MISCOVERAGE) -> tuple[Group, ...]:
    """Evidence groups with rising lower ends, the first from 0, and their thresholds.

    scores [n]: nonconformity of held-out ratings; share [n]: their windows' evidence by the reference's
    median; without evidence (NaN) a window is never placed, and its rating is left out. Groups are terciles
    of evidence, fewer where one would have less than 30 ratings. Where thinner evidence would get the lower
    threshold, the two groups become one: thin windows may not look more certain than full ones.
    """
    known = ~np.isnan(share)
    scores, share = scores[known], share[known]
    groups = [
        Group(least, quantile(scores[mine], miscoverage), int(mine.sum()))
        for least, mine in _picks(share, _edges(share))
    ]
    while falling := [i for i in range(len(groups) - 1) if groups[i].threshold < groups[i + 1].threshold]:
        edges = [group.least for i, group in enumerate(groups) if i != falling[0] + 1]
        groups = [
            Group(least, quantile(scores[mine], miscoverage), int(mine.sum()))
            for least, mine in _picks(share, edges)
        ]
    return tuple(groups)


def quantile(scores: Floats, miscoverage: float) -> float:
    """The ceil((n + 1)(1 - miscoverage))-th smallest of n scores, 1 if there are too few for that.

    A new rating, exchangeable with these, scores at most this with probability 1 - miscoverage or more.
    """
    rank = math.ceil((len(scores) + 1) * (1 - miscoverage) - 1e-9)
    return 1.0 if rank > len(scores) else min(1.0, float(np.partition(scores, rank - 1)[rank - 1]))


def thresholds_of(groups: tuple[Group, ...], share: Floats) -> Floats:
    """Each window's threshold [n] by its evidence [n] (missing: the thinnest group's)."""
    least = np.array([group.least for group in groups])
    return group_thresholds(share, least, np.array([group.threshold for group in groups]))


def fresh_thresholds(scores: Floats, share: Floats, fold: Ints, miscoverage: float = MISCOVERAGE) -> Floats:
    """For each rating [n] the threshold that the other folds' ratings give: for checks of coverage."""
    found = np.ones(len(scores))
    for k in np.unique(fold):
        out = fold == k
        found[out] = thresholds_of(calibrate(scores[~out], share[~out], miscoverage), share[out])
    return found


def _edges(share: Floats) -> list[float]:
    """Lower ends of the groups: as many terciles as leave each group 30 ratings or more."""
    for groups in range(min(GROUPS, len(share) // LEAST_RATINGS), 1, -1):
        cuts = np.quantile(share, np.arange(1, groups) / groups, method="higher")
        edges = [0.0, *cuts.tolist()]
        counts = [int(mine.sum()) for _, mine in _picks(share, edges)]
        if all(a < b for a, b in itertools.pairwise(edges)) and min(counts) >= LEAST_RATINGS:
            return edges
    return [0.0]


def _picks(share: Floats, edges: list[float]) -> list[tuple[float, Bools]]:
    group = np.searchsorted(edges, share, side="right") - 1
    return [(least, group == i) for i, least in enumerate(edges)]
