"""How large schools' own biases may be, and what ratings say of each possible size."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.fitting.nested import Coefficients, Folded, coefficients
from models.grouping.foretold import Spread
from models.scoring.fit_groups import SchoolBias

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# What is believed, in units of the standard deviation of the ratings where it is a length.
# docs/decisions/0014-levels-of-schools.md says why each has its value.
_TRUE_SPREAD: Final = 0.28  # of schools' true means: 8% of the variance of levels
_TRUE_SPREAD_SD: Final = 0.3  # of its logarithm
_WEIGHTS_OWN: Final = 0.05  # a school's own part that comes of weights known roughly only
_OFFSET_SD: Final = 0.25  # of all schools together
_COACH_SCALE: Final = 0.25  # of the half-normal that spreads of coaches' severity follow
_SLOPE_SD: Final = 0.2  # how loosely the tie holds
# Over a class's lessons noise averages out, so its true mean lies further out than the foretold one.
_CLASS_SLOPE: Final = 0.5
_CLASS_SLOPE_SD: Final = 0.4

_STEPS: Final = np.linspace(-2.4, 2.4, 9)  # deviations of the logarithm of the true spread
# Middles of five equally likely parts of the half-normal: so none needs a weight.
_COACH_SDS: Final = tuple(_COACH_SCALE * NormalDist().inv_cdf(0.55 + 0.1 * part) for part in range(5))


@dataclass(frozen=True, slots=True)
class Shares:
    """What errors of ratings are made of once school and coach are known: coach is the share of one visit,
    which no second coach repeats; icc is that of the class in the rest, the remainder is the lesson's.
    """

    coach: float
    icc: float


@dataclass(frozen=True, slots=True)
class Found:
    """The possible biases; shift and shift_sd [S]: of each rated school; error: variance of a rating that its
    school and coach leave open.
    """

    bias: tuple[SchoolBias, ...]
    shift: Floats
    shift_sd: Floats
    error: float


@dataclass(frozen=True, slots=True)
class _Possible:
    """One possible size of biases: height tells how likely it is (a logarithm), shift and variance [S] what
    it makes of the rated schools.
    """

    height: float
    sd: float
    mean: Floats
    covariance: Floats
    shift: Floats
    variance: Floats
    error: float


@dataclass(frozen=True, slots=True)
class Search:
    """Errors of ratings as columns [n, 3 + coaches + 1]: 1, how far the school lies above the others, how far
    the class above its school, which coach, the error itself. lesson, class_, school [n]: codes that nest;
    unit: deviation of the ratings.
    """

    columns: Floats
    lesson: Ints
    class_: Ints
    school: Ints
    shares: Shares
    spread: Spread
    unit: float

    def run(self, above: Floats) -> Found:
        """What is possible; above [S]: the second column by rated school."""
        coach, icc = self.shares.coach, self.shares.icc
        folded = (
            Folded.of(self.columns, coach)
            .grouped(self.lesson)
            .shared((1 - coach) * (1 - icc))
            .grouped(self.class_)
            .shared((1 - coach) * icc)
            .grouped(self.school)
        )
        every = [[self._possible(folded, step, sd, above) for sd in _COACH_SDS] for step in _STEPS]
        merged = [_merged(row) for row in every]
        weight = _shares([one.height for one in merged])
        shift = np.sum([w * one.shift for w, one in zip(weight, merged, strict=True)], axis=0)
        apart = [w * (one.variance + (one.shift - shift) ** 2) for w, one in zip(weight, merged, strict=True)]
        bias = tuple(
            SchoolBias(w, one.sd, _three(one.mean), tuple(map(tuple, one.covariance.tolist())))
            for w, one in zip(weight, merged, strict=True)
        )
        error = sum(w * one.error for w, one in zip(weight, merged, strict=True))
        return Found(bias, shift, np.sqrt(np.maximum(np.sum(apart, axis=0), 1e-12)), error)

    def _possible(self, folded: Folded, step: float, coach_sd: float, above: Floats) -> _Possible:
        unit, coaches = self.unit, self.columns.shape[1] - 4
        total = float(self.columns[:, -1].var())
        true = (_TRUE_SPREAD * unit * math.exp(_TRUE_SPREAD_SD * step)) ** 2
        slope, own = tie(true, self.spread, (1 - self.shares.coach) * total)
        own += (_WEIGHTS_OWN * unit) ** 2
        coach = (coach_sd * unit) ** 2
        error = max(0.3 * total, total - own - coach, 1e-6)
        scaled = folded.scaled(error)
        mean = np.concatenate([[0.0, slope - 1, _CLASS_SLOPE], np.zeros(coaches)])
        doubts = [(_OFFSET_SD * unit) ** 2, _SLOPE_SD**2, _CLASS_SLOPE_SD**2]
        found = coefficients(scaled.shared(own), mean, np.concatenate([doubts, np.full(coaches, coach)]))
        shift, variance = school_shifts(scaled, found, own, above)
        return _Possible(
            height=found.log_density - 0.5 * step**2,
            sd=math.sqrt(own),
            mean=found.mean[:3],
            covariance=found.covariance[:3, :3],
            shift=shift,
            variance=variance,
            error=error,
        )


def tie(true: float, spread: Spread, error: float) -> tuple[float, float]:
    """The slope of true on foretold means of schools, and the variance around it; true: of true means.

    answer: how much a foretold level rises by one true level, as the foretold ones' variance inside schools
    and the error of what they foretell show. Foretold means of variance F then have the slope
    answer true / F, and no more than 1 / answer, what it is without habits.
    """
    inside = spread.classes + spread.lessons
    answer = max(inside / (inside + error), 0.05) if inside + error > 0 else 1.0
    slope = min(answer * true / spread.schools, 1 / answer) if spread.schools > 0 else 1.0
    return slope, max(true - slope**2 * spread.schools, 0.0)


def school_shifts(before: Folded, found: Coefficients, own: float, above: Floats) -> tuple[Floats, Floats]:
    """Mean and variance [S] of the rated schools' shifts: what coefficients say, and their own part.

    before: errors without the schools' own; its units are the schools.
    """
    gain = own / (1 + own * before.weight)
    lines = -gain[:, None] * before.sums[:, :-1]
    lines[:, 0] += 1
    lines[:, 1] += above
    shift = lines @ found.mean + gain * before.sums[:, -1]
    return shift, gain + np.einsum("si,ij,sj->s", lines, found.covariance, lines)


def _merged(some: list[_Possible]) -> _Possible:
    """Possibilities of one size as one normal with their mean and covariance."""
    top = max(one.height for one in some)
    share = np.array(_shares([one.height for one in some]))
    mean = share @ [one.mean for one in some]
    apart = np.array([one.mean for one in some]) - mean
    shift = share @ [one.shift for one in some]
    return _Possible(
        height=top + math.log(sum(math.exp(one.height - top) for one in some)),
        sd=some[0].sd,
        mean=mean,
        covariance=np.tensordot(share, [one.covariance for one in some], 1) + (share * apart.T) @ apart,
        shift=shift,
        variance=share @ [one.variance + (one.shift - shift) ** 2 for one in some],
        error=float(share @ [one.error for one in some]),
    )


def _shares(heights: list[float]) -> list[float]:
    weight = np.exp(np.array(heights) - max(heights))
    shares: list[float] = (weight / weight.sum()).tolist()
    return shares


def _three(mean: Floats) -> tuple[float, float, float]:
    offset, school, class_ = mean.tolist()
    return offset, school, class_
