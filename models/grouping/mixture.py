"""Mixtures of normal distributions: their means and quantiles."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_HALVINGS: Final = 45
_FAR: Final = 9.0  # standard deviations beyond which a normal distribution has nothing to speak of
_erf: Final = np.frompyfunc(math.erf, 1, 1)


@dataclass(frozen=True, slots=True)
class Mixture:
    """Mixtures [m] of g normals each: weight [g] (sum 1), mean and sd [m, g], sd above 0."""

    weight: Floats
    mean: Floats
    sd: Floats

    @property
    def means(self) -> Floats:
        """The mixtures' means [m]."""
        middle: Floats = self.mean @ self.weight
        return middle

    def below(self, at: Floats) -> Floats:
        """The probability [m] of a value below `at` [m]."""
        z = (at[:, None] - self.mean) / (self.sd * math.sqrt(2.0))
        found: Floats = 0.5 * (1.0 + np.asarray(_erf(z), np.float64)) @ self.weight
        return found

    def quantile(self, share: float) -> Floats:
        """The values [m] below which lies `share` of each mixture, by halving where it can lie."""
        low = (self.mean - _FAR * self.sd).min(axis=1)
        high = (self.mean + _FAR * self.sd).max(axis=1)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            under = self.below(middle) < share
            low, high = np.where(under, middle, low), np.where(under, high, middle)
        found: Floats = 0.5 * (low + high)
        return found
