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

    score: [...]; cuts: [..., K - 1], rising. A cut at infinity leaves the stages above it 0. In memory the
    result lies stage by stage, so that every loop is as long as the score.
    """
    turned = score.T
    below = np.empty((cuts.shape[-1] + 2, *turned.shape))
    below[0], below[-1] = 0.0, 1.0
    inner = below[1:-1]
    np.subtract(cuts.T.reshape(*cuts.T.shape, *(1,) * (score.ndim + 1 - cuts.ndim)), turned, out=inner)
    inner *= 0.5
    np.tanh(inner, out=inner)
    inner += 1.0
    inner *= 0.5
    probs: Floats = (below[1:] - below[:-1]).T
    return probs
