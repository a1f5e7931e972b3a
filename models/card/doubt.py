"""How far held-out figures could move by chance, from what a fit keeps of them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.agreement import kappa_of
from models.evaluation.metrics import wilson
from models.scoring.fit_file import HeldOut

DRAWS: Final = 2000
_ENDS: Final = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Doubted:
    """A figure and the ends of its 90% interval."""

    value: float
    low: float
    high: float


def share_of(value: float, n: int) -> Doubted:
    """A share of n ratings with Wilson's interval; the interval takes ratings as independent."""
    found = wilson(round(value * n), n)
    return Doubted(value, min(found.low, value), max(found.high, value))


def kappa_doubt(held: HeldOut, seed: int) -> Doubted | None:
    """Quadratic weighted kappa with the middle 90% of tables drawn from the one that was counted.

    A multinomial bootstrap of the confusion (Efron and Tibshirani 1993); it takes ratings as independent.
    None where kappa is undefined.
    """
    if held.kappa is None:
        return None
    table = np.array(held.confusion, np.float64)
    n = int(table.sum())
    drawn = np.random.default_rng(seed).multinomial(n, table.ravel() / n, size=DRAWS)
    kappas = kappa_of(drawn.reshape(DRAWS, *table.shape))
    known = kappas[np.isfinite(kappas)]
    low, high = np.quantile(known, _ENDS) if len(known) else (held.kappa, held.kappa)
    return Doubted(held.kappa, min(float(low), held.kappa), max(float(high), held.kappa))


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one reaches without any feature: always the commonest stage, always how common stages are."""

    accuracy: float
    within_one: float
    rps: float


def baseline(held: HeldOut) -> Baseline:
    """The figures of saying the same of every lesson, knowing how common the rated levels are."""
    rated: NDArray[np.float64] = np.array(held.confusion, np.float64).sum(axis=1)
    shares = rated / rated.sum()
    near = shares + np.append(shares[1:], 0.0) + np.append(0.0, shares[:-1])
    below = np.cumsum(shares)[:-1]
    return Baseline(
        accuracy=float(shares.max()),
        within_one=float(near.max()),
        rps=float((below * (1 - below)).mean()),
    )
