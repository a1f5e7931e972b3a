"""Lessons of a class are alike: how much so, and what that does to the mean of a group."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Beliefs: docs/decisions/0014-levels-of-schools.md says why each has its value.
USUAL_ICC: Final = 0.3  # of lessons of a class, where the lessons at hand cannot tell
USUAL_CLASS: Final = 20  # lessons, where no class is named
_BELIEF: Final = 20  # degrees of freedom between classes that weigh as much as what was believed before


@dataclass(frozen=True, slots=True)
class Variance:
    """Components of variance between and within groups, and the degrees of freedom between."""

    between: float
    within: float
    freedom: int

    @property
    def icc(self) -> float:
        """The intraclass correlation ICC(1), not below 0; 0 where nothing varies."""
        between = max(self.between, 0.0)
        return between / (between + self.within) if between > 0 else 0.0

    def icc_after(self, believed: float) -> float:
        """The correlation drawn toward what was believed of it before, the more the fewer the groups are."""
        weight = self.freedom / (self.freedom + _BELIEF)
        return weight * self.icc + (1 - weight) * believed


def variance_of(value: Floats, group: Ints, within: Ints | None = None) -> Variance:
    """One-way analysis of variance of values [n] in groups [n], by moments (Donner 1986, unequal sizes).

    within [n]: larger groups that hold whole groups, as schools hold classes; only differences inside one of
    them count then.
    """
    groups, first, member = np.unique(group, return_index=True, return_inverse=True)
    outer = np.zeros(len(groups), np.int64) if within is None else within[first]
    _, outer = np.unique(outer, return_inverse=True)
    size = np.bincount(member).astype(np.float64)
    mean = np.bincount(member, value) / size
    whole = np.bincount(outer, size)
    freedom = len(size) - len(whole)
    left = len(value) - len(size)
    inside = float(((value - mean[member]) ** 2).sum()) / left if left > 0 else 0.0
    if freedom == 0:
        return Variance(0.0, inside, 0)
    centre = np.bincount(outer, size * mean) / whole
    square = float((size * (mean - centre[outer]) ** 2).sum()) / freedom
    usual = (len(value) - float((np.bincount(outer, size**2) / whole).sum())) / freedom
    return Variance((square - inside) / usual, inside, freedom)


def doubt_of_means(group: Ints, cluster: Ints | None, groups: int, icc: float) -> Floats:
    """Variance of each group's mean [groups] in units of one lesson's variance, infinite without a lesson.

    icc sum n_j^2 / n^2 + (1 - icc) / n over the group's clusters of n_j lessons: Kish's design effect over n.
    group [n]; cluster [n]: classes, which lie within groups; None: classes of a usual size are assumed.
    """
    n = np.bincount(group, minlength=groups).astype(np.float64)
    squares = np.minimum(n, USUAL_CLASS) * n
    if cluster is not None:
        _, first, size = np.unique(cluster, return_index=True, return_counts=True)
        squares = np.bincount(group[first], size.astype(np.float64) ** 2, groups).astype(np.float64)
    some = np.maximum(n, 1.0)
    return np.where(n > 0, icc * squares / some**2 + (1 - icc) / some, np.inf)
