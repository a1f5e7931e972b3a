"""Intervals of the headline figures: schools drawn again with replacement, all their ratings together."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.agreement import kappa_of
from models.evaluation.calibration import BINS, bin_of, edges_of, top_label
from models.evaluation.metrics import rank_scores

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HEADLINE: Final = ("kappa", "accuracy", "within_one", "ece", "rps", "coverage", "size")
_ENDS: Final = (0.05, 0.95)


def headline(sums: Floats, stages: int) -> Mapping[str, Floats]:
    """The headline figures [...] of sums [..., m] of what `columns_of` makes; NaN without ratings."""
    cells = stages * stages
    table = sums[..., :cells].reshape(*sums.shape[:-1], stages, stages)
    n = table.sum((-1, -2))
    gaps, (rps, sets, inside, size) = sums[..., cells : cells + BINS], np.moveaxis(sums[..., -4:], -1, 0)
    apart = np.abs(np.subtract.outer(np.arange(stages), np.arange(stages)))
    with np.errstate(invalid="ignore"):
        return {
            "kappa": kappa_of(table),
            "accuracy": (table * (apart == 0)).sum((-1, -2)) / n,
            "within_one": (table * (apart <= 1)).sum((-1, -2)) / n,
            "ece": np.abs(gaps).sum(-1) / n,
            "rps": rps / n,
            "coverage": inside / sets,
            "size": size / sets,
        }


def columns_of(probs: Floats, placed: Ints, level: Ints, low: Ints, high: Ints) -> Floats:
    """What each rating adds to the sums behind the headline figures, [n, K * K + 10 + 4]: its cell of the
    confusion, its gap in its bin of calibration, its ranked probability score, and its set (none if low < 0).
    """
    n, stages = probs.shape
    rows, cells = np.arange(n), stages * stages
    columns = np.zeros((n, cells + BINS + 4))
    columns[rows, placed * stages + level] = 1
    p, hit = top_label(probs, level)
    columns[rows, cells + bin_of(p, edges_of(p))] = hit - p
    has = low >= 0
    inside = has & (low <= level) & (level <= high)
    columns[:, -4:] = np.stack([rank_scores(probs, level), has, inside, (high - low + 1) * has], axis=1)
    return columns


def clustered_sums(columns: Floats, cluster: Ints, *, seed: int, draws: int = 1000) -> Floats:
    """Sums [draws, m] of columns [n, m] over as many clusters [n] as there are, drawn with replacement."""
    _, member = np.unique(cluster, return_inverse=True)
    many = int(member.max()) + 1
    within = np.zeros((many, columns.shape[1]))
    np.add.at(within, member, columns)
    rng = np.random.default_rng(seed)
    times = (np.bincount(rng.integers(many, size=many), minlength=many) for _ in range(draws))
    return np.stack([row @ within for row in times])


def intervals(
    columns: Floats, cluster: Ints, stages: int, *, seed: int, draws: int = 1000
) -> Mapping[str, tuple[float, float]]:
    """90% intervals of the headline figures from a bootstrap of clusters (Field and Welsh 2007).

    Percentiles; for the calibration error the basic interval 2 e - q (Davison and Hinkley 1997), kept in
    0..1, because chance lifts the error once in the ratings and once more in every draw. NaN with one cluster
    only, or without the figure.
    """
    own = headline(columns.sum(axis=0), stages)
    if len(np.unique(cluster)) < 2:
        return dict.fromkeys(HEADLINE, (float("nan"), float("nan")))
    drawn = headline(clustered_sums(columns, cluster, seed=seed, draws=draws), stages)
    found = {}
    for name, values in drawn.items():
        known = values[np.isfinite(values)]
        low, high = np.quantile(known, _ENDS) if len(known) else (np.nan, np.nan)
        if name == "ece":
            low, high = np.clip((2 * own[name] - high, 2 * own[name] - low), 0.0, 1.0)
        found[name] = (float(low), float(high))
    return found
