"""Proportional odds: one score, a cutpoint between each two stages (McCullagh 1980)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def cutpoints(base_rates: Sequence[float]) -> Floats:
    """Cutpoints [K - 1] at which a score of 0 gives exactly the base rates [K]."""
    below = np.cumsum(np.asarray(base_rates, np.float64))[:-1]
    return np.log(below) - np.log1p(-below)


def stage_probabilities(score: Floats, cuts: Floats) -> Floats:
    """Probabilities [..., K] of the stages; P(Y <= k) = 1 / (1 + exp(score - cuts[k])).

    score: [...]; cuts: [..., K - 1], rising. A cut at infinity leaves the stages above it 0.
    """
    below = np.empty((*score.shape, cuts.shape[-1] + 2))
    below[..., 0], below[..., -1] = 0.0, 1.0
    below[..., 1:-1] = 0.5 * (1.0 + np.tanh(0.5 * (cuts - score[..., None])))
    return np.diff(below, axis=-1)
