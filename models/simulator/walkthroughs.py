"""Coaches who rate lessons of a universe, each with a severity and a sharpness of their own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.simulator.universe import Lessons, Universe

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ENDS_AVOIDED = 0.93  # how far from the middle of the scale observers place what lies at its end


@dataclass(frozen=True, slots=True)
class Ratings:
    """Ratings [m]: window is a row of the lessons, dimension, coach and school are indices, level 0..K-1;
    briefed: the coach had seen the placement.
    """

    window: Ints
    dimension: Ints
    coach: Ints
    school: Ints
    level: Ints
    briefed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.window)


def stage_odds(universe: Universe, coach: Ints, place: NDArray[np.float64] | Ints, d: int) -> Floats:
    """Probabilities [m, K] of a coach's rating of a lesson whose place on dimension d's scale is known.

    P(rating <= k) = 1 / (1 + exp(severity - sharpness (k + 1/2 - place))), the place drawn in from the ends
    a little. A positive severity rates higher: leniency and severity are one number.
    """
    k = universe.stages[d]
    middle = (k - 1) / 2.0
    seen = middle + _ENDS_AVOIDED * (np.asarray(place, np.float64) - middle)
    logit = universe.sharpness[coach][:, None] * (np.arange(k - 1) + 0.5 - seen[:, None])
    below = np.zeros((len(seen), k + 1))
    below[:, 1:-1] = 0.5 * (1.0 + np.tanh(0.5 * (logit - universe.severity[coach][:, None])))
    below[:, -1] = 1.0
    return np.diff(below, axis=1)


def any_coach_odds(universe: Universe, place: Floats, d: int) -> Floats:
    """Probabilities [m, K] of the rating by a coach of whom nothing is known, the mean over all coaches."""
    every = range(len(universe.severity))
    odds = [stage_odds(universe, np.full(len(place), coach), place, d) for coach in every]
    mean: Floats = np.mean(odds, axis=0)
    return mean


def rate(
    rng: np.random.Generator, universe: Universe, lessons: Lessons, window: Ints, coach: Ints
) -> Ratings:
    """A rating of each window [m] (a row of lessons) by the coach beside it, on every dimension."""
    latent = lessons.latent[window]
    levels = []
    for d in range(len(universe.dimensions)):
        odds = stage_odds(universe, coach, universe.place(latent, d), d)
        levels.append((rng.random((len(window), 1)) > np.cumsum(odds, axis=1)[:, :-1]).sum(axis=1))
    dimensions = len(universe.dimensions)
    return Ratings(
        window=np.tile(window, dimensions),
        dimension=np.repeat(np.arange(dimensions), len(window)),
        coach=np.tile(coach, dimensions),
        school=np.tile(lessons.school[window], dimensions),
        level=np.concatenate(levels).astype(np.int64),
        briefed=np.zeros(dimensions * len(window), np.bool_),
    )
