"""A year of walkthroughs in a universe: which lessons coaches saw, and what was kept back to judge a fit."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.simulator.universe import Lessons, Universe
from models.simulator.walkthroughs import Ratings, rate
from shared.errors import UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_HELD_OUT: Final = 0.3  # share of schools without any rating in the fit
_SEEN_TWICE: Final = 0.12  # share of ratings that are a second coach's of the same lesson
_FEWEST_LESSONS: Final = 12


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to make. ratings: rows for each dimension in the fit, all unbriefed; new_ratings: windows
    rated once that no fit has seen; briefed: share of further ratings by coaches who knew the placement.
    """

    lessons: int = 3000
    ratings: int = 200
    new_ratings: int = 600
    briefed: float = 0.0
    shuffled: bool = False

    def check(self) -> None:
        """Raises UsageError for what cannot be made."""
        for name, least, most in (
            ("lessons", 100, 1_000_000),
            ("ratings", 0, 100_000),
            ("new_ratings", 0, 100_000),
        ):
            if not least <= getattr(self, name) <= most:
                raise UsageError(f"choose {least} to {most} {name.replace('_', ' ')}")
        if not 0.0 <= self.briefed <= 1.0:
            raise UsageError("briefed is a share: choose a number from 0 to 1")


@dataclass(frozen=True, slots=True)
class Study:
    """held_out [S]: schools without a rating in `ratings`; `new_ratings` are of lessons that `ratings` leave
    out, half of them in held-out schools, where coaches rate whom no fit has met.
    """

    universe: Universe
    lessons: Lessons
    held_out: Bools
    ratings: Ratings
    new_ratings: Ratings


def conduct(rng: np.random.Generator, universe: Universe, plan: Plan | None = None) -> Study:
    """Lessons of the universe's schools and the ratings of some. Raises UsageError where lessons run out."""
    plan = plan or Plan()
    plan.check()
    schools = len(universe.schools)
    lessons = universe.lessons(rng, _lessons_of_schools(rng, schools, plan.lessons))
    held_out = np.zeros(schools, np.bool_)
    held_out[rng.permutation(schools)[: max(1, round(_HELD_OUT * schools))]] = True
    visits = _visits(rng, universe, held_out)
    order = rng.permutation(len(lessons))
    away = held_out[lessons.school[order]]
    at_home, elsewhere = order[~away], order[away]
    briefed = round(plan.briefed * plan.ratings)
    twice = round(_SEEN_TWICE * plan.ratings) if universe.regulars > 1 else 0
    once = plan.ratings - twice
    far = min(plan.new_ratings // 2, len(elsewhere))
    near = plan.new_ratings - far
    if once + briefed + near > len(at_home):
        raise UsageError(
            f"{once + briefed + near} lessons to rate, but schools that are visited have {len(at_home)}: "
            "choose more lessons or fewer ratings"
        )
    seen, told, fresh = np.split(at_home[: once + briefed + near], [once, once + briefed])
    first, second = _two_coaches(rng, visits[lessons.school[seen]])
    windows = np.concatenate([seen, seen[:twice]])
    ratings = rate(rng, universe, lessons, windows, np.concatenate([first, second[:twice]]))
    if plan.shuffled:
        ratings = _shuffled(rng, ratings)
    knowing = rate(rng, universe, lessons, told, _two_coaches(rng, visits[lessons.school[told]])[0])
    later = np.concatenate([fresh, elsewhere[:far]])
    coach = _two_coaches(rng, visits[lessons.school[later]])[0]
    return Study(
        universe=universe,
        lessons=lessons,
        held_out=held_out,
        ratings=_joined(ratings, _drawn_in(universe, knowing)),
        new_ratings=rate(rng, universe, lessons, later, coach),
    )


def _lessons_of_schools(rng: np.random.Generator, schools: int, total: int) -> Ints:
    share = np.exp(rng.normal(0.0, 0.6, schools))
    counts: Ints = np.maximum(np.round(total * share / share.sum()), _FEWEST_LESSONS).astype(np.int64)
    return counts


def _visits(rng: np.random.Generator, universe: Universe, held_out: Bools) -> Bools:
    """Which coach rates in which school [S, coaches]: two to four a school, every regular somewhere.

    Regulars rate in the schools of the fit, the other coaches in those held out.
    """
    regular = np.arange(len(universe.severity)) < universe.regulars
    visits = np.zeros((len(held_out), len(regular)), np.bool_)
    for school, away in enumerate(held_out.tolist()):
        whom = np.flatnonzero(~regular if away else regular)
        visits[school, rng.permutation(whom)[: rng.integers(2, 5)]] = True
    idle = np.flatnonzero(regular & ~visits.any(axis=0))
    visits[rng.choice(np.flatnonzero(~held_out), len(idle)), idle] = True
    return visits


def _two_coaches(rng: np.random.Generator, visits: Bools) -> tuple[Ints, Ints]:
    """Two different coaches for each row [m] of who may come [m, coaches]; the same one if no other may."""
    order = np.argsort(np.where(visits, rng.random(visits.shape), 2.0), axis=1)
    first, second = order[:, 0], order[:, min(1, order.shape[1] - 1)]
    return first, np.where(visits[np.arange(len(visits)), second], second, first)


def _shuffled(rng: np.random.Generator, ratings: Ratings) -> Ratings:
    """The same levels within each dimension, but of other lessons."""
    level = ratings.level.copy()
    for d in np.unique(ratings.dimension):
        rows = np.flatnonzero(ratings.dimension == d)
        level[rows] = level[rng.permutation(rows)]
    return Ratings(ratings.window, ratings.dimension, ratings.coach, ratings.school, level, ratings.briefed)


def _drawn_in(universe: Universe, ratings: Ratings) -> Ratings:
    """Ratings by coaches who had seen an uncalibrated placement: half-way to the middle it favours."""
    middle = ((np.array(universe.stages) - 1) // 2)[ratings.dimension]
    level = middle + np.fix((ratings.level - middle) / 2.0).astype(np.int64)
    briefed = np.ones(len(level), np.bool_)
    return Ratings(ratings.window, ratings.dimension, ratings.coach, ratings.school, level, briefed)


def _joined(one: Ratings, other: Ratings) -> Ratings:
    return Ratings(
        *(
            np.concatenate([getattr(one, name), getattr(other, name)])
            for name in ("window", "dimension", "coach", "school", "level", "briefed")
        )
    )
