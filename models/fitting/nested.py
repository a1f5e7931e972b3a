"""A linear model whose errors nest (ratings in lessons in classes in schools), without any large matrix.

With V = B + v 1 1' on a group's rows, Sherman and Morrison give V^-1 from sums over the group; so each level
folds the sums of the one below, and only the columns themselves are ever multiplied.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Folded:
    """Columns [n, c] seen through the inverse of their errors' covariance V.

    gram [c, c]: columns' V^-1 columns; log_det of V; sums [u, c] and weight [u]: 1' V^-1 columns and
    1' V^-1 1 over each unit, the groups of the last level; row [u]: a row of each.
    """

    gram: Floats
    log_det: float
    rows: int
    sums: Floats
    weight: Floats
    row: Ints

    @classmethod
    def of(cls, columns: Floats, noise: float) -> "Folded":
        """Independent errors of the same variance; every row is a unit."""
        n = len(columns)
        gram = columns.T @ columns / noise
        return cls(gram, n * math.log(noise), n, columns / noise, np.full(n, 1.0 / noise), np.arange(n))

    def grouped(self, code: Ints) -> "Folded":
        """The same errors, with sums over groups; code [n] of rows, the same for all of a unit."""
        groups, first, back = np.unique(code[self.row], return_index=True, return_inverse=True)
        sums = np.zeros((len(groups), self.sums.shape[1]))
        np.add.at(sums, back, self.sums)
        weight = np.bincount(back, self.weight).astype(np.float64)
        return Folded(self.gram, self.log_det, self.rows, sums, weight, self.row[first])

    def shared(self, variance: float) -> "Folded":
        """With an error of this variance that each unit's rows share."""
        grown = 1.0 + variance * self.weight
        return Folded(
            self.gram - (self.sums * (variance / grown)[:, None]).T @ self.sums,
            self.log_det + float(np.log(grown).sum()),
            self.rows,
            self.sums / grown[:, None],
            self.weight / grown,
            self.row,
        )

    def scaled(self, by: float) -> "Folded":
        """With all variances multiplied."""
        return Folded(
            self.gram / by,
            self.log_det + self.rows * math.log(by),
            self.rows,
            self.sums / by,
            self.weight / by,
            self.row,
        )


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Normal posterior of the columns' coefficients, and the log density of the last column under them."""

    mean: Floats
    covariance: Floats
    log_density: float


def coefficients(folded: Folded, prior_mean: Floats, prior_variance: Floats) -> Coefficients:
    """Posterior of the coefficients [c - 1] of all columns but the last, which they explain."""
    gram, cross = folded.gram[:-1, :-1], folded.gram[:-1, -1]
    pull = cross - gram @ prior_mean
    left = float(folded.gram[-1, -1] - 2 * cross @ prior_mean + prior_mean @ gram @ prior_mean)
    precision = gram + np.diag(1.0 / prior_variance)
    covariance = np.linalg.inv(precision)
    moved = covariance @ pull
    log_det = float(np.linalg.slogdet(precision)[1] + np.log(prior_variance).sum()) + folded.log_det
    density = -0.5 * (log_det + left - float(pull @ moved) + folded.rows * math.log(2 * math.pi))
    return Coefficients(prior_mean + moved, 0.5 * (covariance + covariance.T), density)
