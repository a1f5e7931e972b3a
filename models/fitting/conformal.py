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

# Below the tenth of the rated windows' evidence no rating says enough, and ever thinner windows come ever
# nearer the base rates, whose own set may be the smaller one. There thresholds rise to 1 at none: at a share
# of that evidence, as large a share of (1 - threshold) is left; it is taken in steps that halve, at their
# middle, 1.5 times the lower end. Below the last of them nothing is left.
SPARSE: Final = 0.1
_ENDS: Final = 0.5 ** np.arange(4, -1, -1)
_LEFT: Final = np.concatenate([[0.0], 1.5 * _ENDS[:-1], [1.0]])


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


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Evidence groups, and the evidence (by the reference's median) below which windows are sparse."""

    groups: tuple[Group, ...]
    sparse: float

    @property
    def steps(self) -> tuple[Group, ...]:
        """The groups with the steps that sparse windows take; a group's ratings stand at its last step."""
        ends = [group.least for group in self.groups[1:]] + [math.inf]
        steps = (self.sparse * _ENDS).tolist()
        found = []
        for group, end in zip(self.groups, ends, strict=True):
            own = sorted({group.least, *(step for step in steps if group.least < step < end)})
            found += [
                Group(
                    least,
                    group.threshold
                    + (1.0 - group.threshold) * (1.0 - float(left(np.array([least]), self.sparse)[0])),
                    group.ratings if least == own[-1] else 0,
                )
                for least in own
            ]
        return tuple(found)


def left(share: Floats, sparse: float) -> Floats:
    """What is left of (1 - threshold) at each evidence share [n]: 1 from `sparse` on, 0 near none."""
    return _LEFT[np.searchsorted(sparse * _ENDS, share, side="right")]


def calibrate(scores: Floats, share: Floats, miscoverage: float = MISCOVERAGE) -> Calibrated:
    """Evidence groups with rising lower ends, the first from 0, and their thresholds.

    scores [n]: nonconformity of held-out ratings; share [n]: their windows' evidence by the reference's
    median; without evidence (NaN) a window is never placed, and its rating is left out. Groups are terciles
    of evidence, fewer where one would have less than 30 ratings. Where thinner evidence would get the lower
    threshold, the two groups become one: thin windows may not look more certain than full ones. Scores of
    sparse windows are raised as their thresholds will be, so that what is covered stays what it is.
    """
    known = ~np.isnan(share)
    scores, share = scores[known], share[known]
    some = share[share > 0]
    sparse = float(np.quantile(some, SPARSE)) if len(some) else 0.0
    scores = _raised(scores, left(share, sparse))
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
    return Calibrated(tuple(groups), sparse)


def _raised(scores: Floats, part: Floats) -> Floats:
    """Scores [n] that are at most t where the scores are at most 1 - (1 - t) part, what is left of 1 - t."""
    raised = np.maximum(0.0, 1.0 - (1.0 - scores) / np.where(part > 0, part, np.inf)) * (part > 0)
    return np.where(part < 1, raised, scores)


def quantile(scores: Floats, miscoverage: float) -> float:
    """The ceil((n + 1)(1 - miscoverage))-th smallest of n scores, 1 if there are too few for that.

    A new rating, exchangeable with these, scores at most this with probability 1 - miscoverage or more.
    """
    rank = math.ceil((len(scores) + 1) * (1 - miscoverage) - 1e-9)
    return 1.0 if rank > len(scores) else min(1.0, float(np.partition(scores, rank - 1)[rank - 1]))


def thresholds_of(calibrated: Calibrated, share: Floats) -> Floats:
    """Each window's threshold [n] by its evidence [n] (missing: the thinnest group's)."""
    steps = calibrated.steps
    return group_thresholds(share, [step.least for step in steps], [step.threshold for step in steps])


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
