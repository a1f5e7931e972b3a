"""Whether placements know anything of the ratings: the same ratings, dealt out to other windows."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.agreement import confusion, kappa_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_AT_ONCE: Final = 1 << 24  # shuffled ratings in memory


@dataclass(frozen=True, slots=True)
class Shuffled:
    """kappas [N]: quadratic weighted kappa under shuffling; p: (1 + those at least as high) / (1 + N)."""

    kappa: float
    kappas: Floats
    p: float


def permutation_check(
    placed: Ints, level: Ints, coach: Ints, stages: int, *, seed: int, permutations: int = 1000
) -> Shuffled:
    """Kappa of placed levels [n] against ratings [n] shuffled among the windows of each coach [n].

    A coach's severity and the margins stay as they are: what goes is only which lesson a rating belongs to.
    p is Phipson and Smyth's (2010), never 0. NaN throughout where there is no kappa.
    """
    table = confusion(placed, level, stages).astype(np.float64)
    kappa = float(kappa_of(table))
    if np.isnan(kappa):
        return Shuffled(kappa, np.full(permutations, np.nan), float("nan"))
    products = shuffled_products(placed, level, coach, np.random.default_rng(seed), permutations)
    # Margins do not change, so kappa moves with sum(placed * level) alone.
    own = float(placed @ level)
    k = np.arange(stages)
    rows, columns, n = table.sum(1), table.sum(0), len(level)
    chance = float(rows @ np.square(k[:, None] - k) @ columns) / n
    kappas = kappa + 2 * (products - own) / chance
    return Shuffled(kappa, kappas, (1 + int((products >= own).sum())) / (1 + permutations))


def shuffled_products(
    placed: Ints, level: Ints, coach: Ints, rng: np.random.Generator, permutations: int
) -> Floats:
    """sum(placed * level) [permutations] with the levels shuffled within each coach."""
    products = np.zeros(permutations)
    order = np.argsort(coach, kind="stable")
    ends = np.flatnonzero(np.diff(coach[order])) + 1
    for mine in np.split(order, ends):
        weights = placed[mine].astype(np.float64)
        step = max(1, _AT_ONCE // len(mine))
        for at in range(0, permutations, step):
            dealt = np.tile(level[mine].astype(np.float64), (min(step, permutations - at), 1))
            products[at : at + step] += rng.permuted(dealt, axis=1, out=dealt) @ weights
    return products
