"""The height and slopes of the log posterior of proportional odds with Gaussian priors and intercepts.

P(level <= k) = 1 / (1 + exp(eta - cut_k)), eta = z w + school + coach (McCullagh 1980). With
sigma(a) - sigma(b) = sigma(a) sigma(-b) (1 - exp(b - a)) the log likelihood is two logistic terms a row and a
term in the gaps between cutpoints only, so it is concave in everything at once (Pratt 1981), and so is the
log prior.

Priors: weights Gaussian; the mean of the cutpoints Gaussian; each gap Gamma with its mode at the prior's gap
and a curvature there of a relative deviation `gap_sd`, which keeps the cutpoints rising and, unlike a normal
on the logarithm of a gap, is concave in the cutpoints themselves. Stages that observers avoid stay apart.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GAP_SD: Final = 0.35
LOCATION_SD: Final = 1.0

_TO_THE_WALL: Final = 0.95  # share of the way to where two cutpoints would meet
_BARRIER: Final = 1e-9  # what keeps gaps open where the prior is flat and a level was never seen


@dataclass(frozen=True, slots=True)
class Problem:
    """Ratings of n windows on one dimension.

    z: [n, p], finite, 0 where missing; level: [n], 0..stages - 1; school, coach: [n], codes from 0 to
    schools - 1 and coaches - 1, or None.
    """

    z: Floats
    level: Ints
    stages: int
    school: Ints | None = None
    schools: int = 0
    coach: Ints | None = None
    coaches: int = 0


@dataclass(frozen=True, slots=True)
class Prior:
    """mean: [p]; precision: [p]; cuts: [stages - 1] rising, where their mean and their gaps lie.

    location_sd of the cutpoints' mean and gap_sd, relative, of each gap: infinite for a flat prior. school_sd
    and coach_sd of the random intercepts: 0 leaves them out.
    """

    mean: Floats
    precision: Floats
    cuts: Floats
    location_sd: float = LOCATION_SD
    gap_sd: float = GAP_SD
    school_sd: float = 0.0
    coach_sd: float = 0.0


class Surface:
    """The log posterior over (weights, cuts, school, coach): height, slopes, curvature."""

    def __init__(self, problem: Problem, prior: Prior) -> None:
        n, self.features = problem.z.shape
        self.cuts = problem.stages - 1
        self.fixed = self.features + self.cuts
        self.z, self.level, self.prior = problem.z, problem.level, prior
        one_hot = np.zeros((n, problem.stages))
        one_hot[np.arange(n), problem.level] = 1.0
        # Row by cut: whether the cut bounds the row's level from above, and from below.
        self.above, self.below = one_hot[:, :-1], one_hot[:, 1:]
        self.seen = one_hot.sum(axis=0)[1:-1]
        self.groups = [
            _Groups(codes, count, sd, self.fixed)
            for codes, count, sd in (
                (problem.school, problem.schools, prior.school_sd),
                (problem.coach, problem.coaches, prior.coach_sd),
            )
            if codes is not None and count and sd > 0
        ]
        self.size = self.fixed + sum(group.count for group in self.groups)
        self.gap = np.diff(prior.cuts)
        self.gap_weight = max(prior.gap_sd**-2, _BARRIER)
        self.location_weight = prior.location_sd**-2
        self.log_constant = self._log_constant()

    def start(self) -> Floats:
        return np.concatenate([self.prior.mean, self.prior.cuts, np.zeros(self.size - self.fixed)])

    def reach(self, point: Floats, step: Floats) -> float:
        """The longest share of a step, at most 1, that keeps the cutpoints apart."""
        cuts = slice(self.features, self.fixed)
        gaps, closing = np.diff(point[cuts]), -np.diff(step[cuts])
        shrinking = closing > 0
        return min(1.0, _TO_THE_WALL * float(np.min(gaps[shrinking] / closing[shrinking], initial=math.inf)))

    def height(self, point: Floats) -> float:
        """Log likelihood and log prior, less the constant; minus infinity where it cannot be told."""
        cuts = point[self.features : self.fixed]
        gaps = np.diff(cuts)
        if not (gaps > 0).all():
            return -math.inf
        upper, lower = self._bounds(point)
        terms = -np.logaddexp(0, -upper) - np.logaddexp(0, lower)
        total = float(terms.sum()) + float(self.seen @ np.log(-np.expm1(-gaps)))
        return total + self._log_prior(point, cuts, gaps) if math.isfinite(total) else -math.inf

    def slopes(self, point: Floats) -> tuple[Floats, Floats]:
        """Gradient [size] and negative Hessian [size, size]."""
        upper, lower = self._bounds(point)
        more, less = _sigmoid(-upper), _sigmoid(lower)
        by_cut_slope = self.above * more[:, None] - self.below * less[:, None]
        by_cut = self.above * (more * (1 - more))[:, None] + self.below * (less * (1 - less))[:, None]
        row_slope = -by_cut_slope.sum(axis=1)
        row = by_cut.sum(axis=1)
        row_z = self.z * row[:, None]

        slope = np.empty(self.size)
        curvature = np.zeros((self.size, self.size))
        w, c = slice(0, self.features), slice(self.features, self.fixed)
        slope[w] = row_slope @ self.z
        slope[c] = by_cut_slope.sum(axis=0)
        curvature[w, w] = self.z.T @ row_z
        curvature[w, c] = -self.z.T @ by_cut
        curvature[c, w] = curvature[w, c].T
        curvature[c, c] = np.diag(by_cut.sum(axis=0))
        payload = np.hstack([row_z, -by_cut])
        at = self.fixed
        for group in self.groups:
            own = slice(at, at + group.count)
            slope[own] = group.sums(row_slope) - group.weight * point[own]
            curvature[own, own] = np.diag(group.sums(row) + group.weight)
            curvature[own, : self.fixed] = group.sums_of_rows(payload)
            curvature[: self.fixed, own] = curvature[own, : self.fixed].T
            at += group.count
        if len(self.groups) == 2:
            self._crossed(row, curvature)
        self._add_prior(point, slope, curvature)
        return slope, curvature

    def _bounds(self, point: Floats) -> tuple[Floats, Floats]:
        """How far each row's score lies below its level's upper cutpoint and its lower one."""
        eta = self.z @ point[: self.features]
        at = self.fixed
        for group in self.groups:
            eta += point[at : at + group.count][group.codes]
            at += group.count
        edges = np.concatenate([[-math.inf], point[self.features : self.fixed], [math.inf]])
        return edges[self.level + 1] - eta, edges[self.level] - eta

    def _crossed(self, row: Floats, curvature: Floats) -> None:
        first, second = self.groups
        codes = first.codes * second.count + second.codes
        block = np.bincount(codes, row, first.count * second.count).reshape(first.count, second.count)
        one = slice(self.fixed, self.fixed + first.count)
        two = slice(self.fixed + first.count, self.size)
        curvature[one, two], curvature[two, one] = block, block.T

    def _add_prior(self, point: Floats, slope: Floats, curvature: Floats) -> None:
        w, c = slice(0, self.features), slice(self.features, self.fixed)
        slope[w] -= self.prior.precision * (point[w] - self.prior.mean)
        curvature[w, w] += np.diag(self.prior.precision)
        off = float(point[c].mean() - self.prior.cuts.mean())
        slope[c] -= self.location_weight * off / self.cuts
        curvature[c, c] += self.location_weight / self.cuts**2
        gaps = np.diff(point[c])
        push = self.seen / np.expm1(gaps) + self.gap_weight * (1 / gaps - 1 / self.gap)
        stiff = self.seen / (4 * np.sinh(gaps / 2) ** 2) + self.gap_weight / gaps**2
        slope[c][1:] += push
        slope[c][:-1] -= push
        block = curvature[c, c]
        inner = np.arange(self.cuts - 1)
        block[inner, inner] += stiff
        block[inner + 1, inner + 1] += stiff
        block[inner, inner + 1] -= stiff
        block[inner + 1, inner] -= stiff

    def _log_prior(self, point: Floats, cuts: Floats, gaps: Floats) -> float:
        off = point[: self.features] - self.prior.mean
        total = -0.5 * float(self.prior.precision @ off**2)
        total -= 0.5 * self.location_weight * float(cuts.mean() - self.prior.cuts.mean()) ** 2
        ratio = gaps / self.gap
        total += self.gap_weight * float((np.log(ratio) - ratio + 1).sum())
        at = self.fixed
        for group in self.groups:
            total -= 0.5 * group.weight * float((point[at : at + group.count] ** 2).sum())
            at += group.count
        return total

    def _log_constant(self) -> float:
        """The logarithm of the priors' normalising constants, where they have one."""
        known = self.prior.precision[self.prior.precision > 0]
        total = 0.5 * float(np.log(known / (2 * math.pi)).sum())
        if self.location_weight > 0:
            total += 0.5 * math.log(self.location_weight / (2 * math.pi))
        if self.gap_weight > _BARRIER:
            k = self.gap_weight  # Gamma of shape k + 1 and rate k / gap, whose mode is the gap
            each = (k + 1) * math.log(k) - math.lgamma(k + 1) - k
            total += float((each - np.log(self.gap)).sum())
        for group in self.groups:
            total += 0.5 * group.count * math.log(group.weight / (2 * math.pi))
        return total


class _Groups:
    """Rows by school, or by coach, and sums over them."""

    def __init__(self, codes: Ints, count: int, sd: float, columns: int) -> None:
        self.codes, self.count, self.weight = codes, count, sd**-2
        self.cells = (codes[:, None] * columns + np.arange(columns)).ravel()
        self.columns = columns

    def sums(self, values: Floats) -> Floats:
        return np.bincount(self.codes, values, self.count).astype(np.float64, copy=False)

    def sums_of_rows(self, values: Floats) -> Floats:
        """[count, columns] from values [n, columns]."""
        flat = np.bincount(self.cells, values.ravel(), self.count * self.columns)
        return flat.reshape(self.count, self.columns).astype(np.float64, copy=False)


def _sigmoid(x: Floats) -> Floats:
    value: Floats = 0.5 * (1.0 + np.tanh(0.5 * x))
    return value
