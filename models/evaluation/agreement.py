"""Agreement on ordered levels: between coaches, and between a coach and a placement."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_RATINGS: Final = "nothing was rated twice"
ONE_LEVEL: Final = "both sides give one and the same level to everything"
NO_SPREAD: Final = "every rating is the same level"


@dataclass(frozen=True, slots=True)
class Agreed:
    """A figure of agreement: 1 is perfect, 0 is chance; NaN where there is none, and then `why`."""

    value: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two ratings of the same window by different coaches, a pair each [m]; coach_a < coach_b."""

    coach_a: Ints
    coach_b: Ints
    level_a: Ints
    level_b: Ints

    def __len__(self) -> int:
        return len(self.level_a)


@dataclass(frozen=True, slots=True)
class CoachPair:
    """Agreement of two coaches on the `windows` that both rated; exact and within_one are shares."""

    coach_a: int
    coach_b: int
    windows: int
    exact: float
    within_one: float
    kappa: Agreed


def confusion(a: Ints, b: Ints, stages: int) -> Ints:
    """Counts [K, K] of levels 0..K-1: a by row, b by column."""
    return np.bincount(a * stages + b, minlength=stages * stages).reshape(stages, stages)


def kappa_of(table: NDArray[np.int64] | Floats) -> Floats:
    """Quadratic weighted kappa [...] of confusion tables [..., K, K]; NaN where nothing can disagree.

    1 - sum w_ij O_ij / sum w_ij E_ij with w_ij = (i - j)^2, O the counts, E those that the margins expect
    (Cohen 1968).
    """
    table = np.asarray(table, np.float64)
    k = np.arange(table.shape[-1])
    cost = np.square(k[:, None] - k)
    rows, columns, total = table.sum(-1), table.sum(-2), table.sum((-1, -2))
    seen = (table * cost).sum((-1, -2)) * total
    chance = np.einsum("...i,ij,...j->...", rows, cost, columns)
    apart: Floats = np.divide(seen, chance, out=np.full(chance.shape, np.nan), where=chance > 0)
    return 1.0 - apart


def quadratic_weighted_kappa(a: Ints, b: Ints, stages: int) -> Agreed:
    """Quadratic weighted kappa of two raters' levels [n], 0..K-1, of the same things (Cohen 1968)."""
    return agreed_kappa(confusion(a, b, stages))


def agreed_kappa(table: NDArray[np.int64] | Floats) -> Agreed:
    """Quadratic weighted kappa of one confusion table [K, K], or why there is none."""
    value = float(kappa_of(table))
    if np.isnan(value):
        return Agreed(value, ONE_LEVEL if table.sum() else NO_RATINGS)
    return Agreed(value)


def level_counts(window: Ints, level: Ints, windows: int, stages: int) -> Ints:
    """How many ratings gave each window each level, [windows, K], from ratings [n] in any order."""
    return np.bincount(window * stages + level, minlength=windows * stages).reshape(windows, stages)


def krippendorff_alpha(counts: Ints) -> Agreed:
    """Krippendorff's alpha with the ordinal metric, for any number of raters and any ratings missing.

    counts [windows, K]: ratings of each window at each level. 1 - (N - 1) sum_cd o_cd d_cd / sum_cd n_c n_d
    d_cd, o the coincidences within windows rated at least twice, n their margins, and d_cd the square of the
    ratings that lie from c to d, those at c and d counted by half (Krippendorff 2011, "Computing
    Krippendorff's alpha-reliability").
    """
    counts = counts[counts.sum(axis=1) >= 2].astype(np.float64)
    if not len(counts):
        return Agreed(float("nan"), NO_RATINGS)
    per_window = counts / (counts.sum(axis=1, keepdims=True) - 1)
    coincidences = per_window.T @ counts - np.diag(per_window.sum(axis=0))
    margins = counts.sum(axis=0)
    middle = np.cumsum(margins) - margins / 2
    distance = np.square(middle[:, None] - middle)
    chance = float(margins @ distance @ margins)
    if chance == 0:
        return Agreed(float("nan"), NO_SPREAD)
    return Agreed(1.0 - (float(margins.sum()) - 1) * float((coincidences * distance).sum()) / chance)


def shared_pairs(window: Ints, coach: Ints, level: Ints) -> Pairs:
    """Every pair of ratings of one window, from ratings [n] in any order, no coach twice on a window."""
    order = np.lexsort((coach, window))
    window, coach, level = window[order], coach[order], level[order]
    firsts, seconds = [], []
    gap = 1
    while len(first := np.flatnonzero(window[gap:] == window[:-gap])):
        firsts.append(first)
        seconds.append(first + gap)
        gap += 1
    a = np.concatenate([np.empty(0, np.int64), *firsts])
    b = np.concatenate([np.empty(0, np.int64), *seconds])
    return Pairs(coach[a], coach[b], level[a], level[b])


def exact_and_within_one(a: Ints, b: Ints) -> tuple[float, float]:
    """Shares of levels [n] that are the same, and that differ by at most one; NaN where there are none."""
    if not len(a):
        return float("nan"), float("nan")
    apart = np.abs(a - b)
    return float((apart == 0).mean()), float((apart <= 1).mean())


def kappa_between(pairs: Pairs, stages: int) -> Agreed:
    """Quadratic weighted kappa over all pairs, each counted both ways, so that no coach is the first."""
    table = confusion(pairs.level_a, pairs.level_b, stages)
    return agreed_kappa(table + table.T)


def by_coach_pair(pairs: Pairs, stages: int) -> tuple[CoachPair, ...]:
    """Agreement of each two coaches who rated a window both, in the order of their numbers."""
    both = np.stack([pairs.coach_a, pairs.coach_b], axis=1)
    found = []
    for coach_a, coach_b in np.unique(both, axis=0).tolist():
        mine = (pairs.coach_a == coach_a) & (pairs.coach_b == coach_b)
        a, b = pairs.level_a[mine], pairs.level_b[mine]
        exact, within_one = exact_and_within_one(a, b)
        kappa = quadratic_weighted_kappa(a, b, stages)
        found.append(CoachPair(coach_a, coach_b, int(mine.sum()), exact, within_one, kappa))
    return tuple(found)
