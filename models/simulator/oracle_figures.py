"""What the oracle reaches in a universe, and how well its coaches and schools can be told apart."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.agreement import confusion, kappa_of
from models.evaluation.calibration import calibration_error
from models.scoring.sets import mass_before
from models.simulator.oracle import long_run_means, oracle, oracle_both
from models.simulator.universe import Lessons, Universe
from models.simulator.walkthroughs import rate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_LESSONS: Final = 2000
_COVER: Final = 0.9


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one dimension. The oracle knows the true densities, one lesson and nothing of its school or class.

    accuracy, qwk, ece: against the true level; qwk_school_known: with the habits of the school's apps known;
    ece_rating: of its probabilities for the rating by an unknown coach, set_size: of the sets grown from them
    that hold just 90% of such ratings;
    coach_truth, coach_coach: quadratic weighted kappa; school_spread: deviation of the schools' true means;
    school_error: deviation of the oracle's mean over a school's lessons from the true one, school_slope its
    slope on the true one; class_correlation: intraclass, of the levels of a class's lessons.
    """

    accuracy: float
    qwk: float
    qwk_school_known: float
    ece: float
    ece_rating: float
    set_size: float
    coach_truth: float
    coach_coach: float
    school_spread: float
    school_error: float
    school_slope: float
    class_correlation: float


def oracle_figures(rng: np.random.Generator, universe: Universe, lessons: Lessons) -> tuple[Figures, ...]:
    """Figures of each dimension over the lessons, or over 2,000 of them; rng draws who rates them."""
    some = lessons
    if len(lessons) > _MOST_LESSONS:
        some = lessons.take(np.sort(rng.permutation(len(lessons))[:_MOST_LESSONS]))
    truth, rated = oracle_both(universe, some)
    known = oracle(universe, some, shifts_known=True)
    n, every = len(some), np.arange(len(some))
    one = rng.integers(0, len(universe.severity), n)
    other = (one + rng.integers(1, len(universe.severity), n)) % len(universe.severity)
    first, second = (rate(rng, universe, some, every, coach).level.reshape(-1, n) for coach in (one, other))
    return tuple(
        _figures(
            some, some.level[:, d], truth[:, d, :k], known[:, d, :k], rated[:, d, :k], first[d], second[d]
        )
        for d, k in enumerate(universe.stages)
    )


def mean_figures(figures: tuple[Figures, ...]) -> Figures:
    """Their means over the dimensions."""
    names = Figures.__dataclass_fields__
    return Figures(**{name: float(np.mean([getattr(one, name) for one in figures])) for name in names})


def school_means(universe: Universe, lessons: Lessons) -> tuple[Floats, Floats]:
    """True mean level [S, D] of the schools' lessons, and over endlessly many of them."""
    counts = np.bincount(lessons.school, minlength=len(universe.schools))
    sums = [
        np.bincount(lessons.school, lessons.level[:, d], len(counts)) for d in range(len(universe.dimensions))
    ]
    return np.stack(sums, axis=1) / counts[:, None], long_run_means(universe)


def _figures(
    lessons: Lessons, level: Ints, truth: Floats, known: Floats, rated: Floats, first: Ints, second: Ints
) -> Figures:
    stages = truth.shape[1]
    before = mass_before(rated)
    threshold = np.quantile(before[np.arange(len(first)), first], _COVER)
    true_mean = _means_by(lessons.school, level)
    oracle_mean = _means_by(lessons.school, truth @ np.arange(stages))
    return Figures(
        accuracy=float((truth.argmax(axis=1) == level).mean()),
        qwk=_kappa(truth.argmax(axis=1), level, stages),
        qwk_school_known=_kappa(known.argmax(axis=1), level, stages),
        ece=calibration_error(truth, level),
        ece_rating=calibration_error(rated, first),
        set_size=float((before <= threshold).sum(axis=1).mean()),
        coach_truth=_kappa(first, level, stages),
        coach_coach=_kappa(first, second, stages),
        school_spread=float(true_mean.std()),
        school_error=float(np.sqrt(((oracle_mean - true_mean) ** 2).mean())),
        school_slope=float(np.polyfit(true_mean, oracle_mean, 1)[0]),
        class_correlation=_intraclass(lessons.class_, level),
    )


def _kappa(a: Ints, b: Ints, stages: int) -> float:
    return float(kappa_of(confusion(a, b, stages)))


def _means_by(group: Ints, value: NDArray[np.float64] | Ints) -> Floats:
    _, member = np.unique(group, return_inverse=True)
    return np.bincount(member, value) / np.bincount(member)


def _intraclass(group: Ints, value: Ints) -> float:
    """One-way intraclass correlation ICC(1) of groups of unequal size (Donner 1986)."""
    _, member = np.unique(group, return_inverse=True)
    size = np.bincount(member)
    n, groups = len(value), len(size)
    mean = np.bincount(member, value) / size
    within = float(((value - mean[member]) ** 2).sum()) / (n - groups)
    between = float((size * (mean - value.mean()) ** 2).sum()) / (groups - 1)
    usual = (n - float((size**2).sum()) / n) / (groups - 1)
    return (between - within) / (between + (usual - 1.0) * within)
