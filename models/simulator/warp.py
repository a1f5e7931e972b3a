"""Skewed units: a log-normal body with a straight tail, and the way back."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BODY: Final = 2.0  # deviations up to which the curve is exponential


def warped(z: Floats, skew: Floats) -> Floats:
    """z [n, 23] in units skewed by `skew` [23]: (exp(skew z) - 1) / skew, linear past two deviations.

    Where skew is 0, z itself. Straight beyond the body, or noise of thin windows would grow without bound.
    """
    k = np.where(skew > 0, skew, 1.0)
    body = np.expm1(k * np.minimum(z, _BODY)) / k
    return np.where(skew > 0, body + np.exp(k * _BODY) * np.maximum(z - _BODY, 0.0), z)


def unwarped(w: Floats, skew: Floats) -> Floats:
    """z [n, 23] from units skewed by `skew` [23]: the inverse of `warped`."""
    k = np.where(skew > 0, skew, 1.0)
    end = np.expm1(k * _BODY) / k
    body = np.log1p(np.maximum(k * np.minimum(w, end), -1.0 + 1e-9)) / k
    return np.where(skew > 0, body + np.maximum(w - end, 0.0) / np.exp(k * _BODY), w)
