"""Whether probabilities mean what they say: of what was called 70% likely, seven in ten should come true.

probs are float64 [n, K] with rows that sum to 1; levels int64 [n], 0..K-1.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

BINS: Final = 10
Binning = Literal["equal_width", "equal_mass"]


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """`ratings` predictions between low (exclusive) and high: their mean, and the share that came true."""

    low: float
    high: float
    ratings: int
    predicted: float
    seen: float


@dataclass(frozen=True, slots=True)
class Cutpoint:
    """Calibration of P(level <= stage): the bins, and how far seen is from predicted in the mean rating."""

    stage: int
    gap: float
    bins: tuple[CalibrationBin, ...]


@dataclass(frozen=True, slots=True)
class PerfectError:
    """The calibration error by chance alone, were every probability right: mean and 95th percentile."""

    mean: float
    high: float


def edges_of(p: Floats, binning: Binning = "equal_width", bins: int = BINS) -> Floats:
    """Edges [bins + 1] from 0 to 1: equally wide, or with equally many of the probabilities [n] in each."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    if binning == "equal_mass" and len(p):
        edges[1:-1] = np.quantile(p, edges[1:-1])
    return edges


def bin_of(p: Floats, edges: Floats) -> Ints:
    """The bin of each probability: its lower edge excluded, its upper included, 0 in the first."""
    return np.searchsorted(edges[1:-1], p, side="left")


def top_label(probs: Floats, level: Ints) -> tuple[Floats, Bools]:
    """The highest probability [n], and whether its level (of equals the lowest) is the rating."""
    return probs.max(axis=1), probs.argmax(axis=1) == level


def calibration_error(probs: Floats, level: Ints, binning: Binning = "equal_width") -> float:
    """Expected calibration error of the top label: sum over ten bins of |hits - sum of probabilities| / n.

    Naeini et al. 2015, Guo et al. 2017. NaN if n is 0. Chance alone lifts it: see `error_if_perfect`.
    """
    p, hit = top_label(probs, level)
    return _error(p, hit, bin_of(p, edges_of(p, binning)))


def error_if_perfect(
    probs: Floats, *, seed: int, draws: int = 1000, binning: Binning = "equal_width"
) -> PerfectError:
    """The calibration error that remains when ratings are drawn from these very probabilities.

    With few ratings the error of a perfectly calibrated score is well above 0 (Bröcker and Smith 2007 do
    this for reliability diagrams). Whether the top label is hit is all that matters, so only that is drawn.
    """
    p = probs.max(axis=1)
    if not len(p):
        return PerfectError(float("nan"), float("nan"))
    where = bin_of(p, edges_of(p, binning))
    rng = np.random.default_rng(seed)
    errors = np.array([_error(p, rng.random(len(p)) < p, where) for _ in range(draws)])
    return PerfectError(float(errors.mean()), float(np.quantile(errors, 0.95)))


def cumulative_calibration(
    probs: Floats, level: Ints, binning: Binning = "equal_width"
) -> tuple[Cutpoint, ...]:
    """For each cutpoint k < K - 1: predicted P(level <= k) against the share seen, in those of ten bins that
    hold ratings. It looks at the whole distribution where `calibration_error` looks at the top label only
    (threshold calibration: Henzi, Ziegel and Gneiting 2021).
    """
    below = np.cumsum(probs, axis=1)
    found = []
    for k in range(probs.shape[1] - 1):
        p, seen = np.clip(below[:, k], 0.0, 1.0), level <= k
        edges = edges_of(p, binning)
        found.append(Cutpoint(k, _error(p, seen, bin_of(p, edges)), _bins(p, seen, edges)))
    return tuple(found)


def _error(p: Floats, hit: Bools, where: Ints) -> float:
    if not len(p):
        return float("nan")
    return float(np.abs(np.bincount(where, hit - p)).sum() / len(p))


def _bins(p: Floats, hit: Bools, edges: Floats) -> tuple[CalibrationBin, ...]:
    where, bins = bin_of(p, edges), len(edges) - 1
    count = np.bincount(where, minlength=bins)
    predicted, seen = (np.bincount(where, values, minlength=bins) for values in (p, hit))
    return tuple(
        CalibrationBin(
            low=float(edges[b]),
            high=float(edges[b + 1]),
            ratings=int(count[b]),
            predicted=float(predicted[b] / count[b]),
            seen=float(seen[b] / count[b]),
        )
        for b in np.flatnonzero(count).tolist()
    )
