"""Probabilities for ratings that the fit behind them had not seen: out of ten folds, or split off."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.fitting.design import Design, Scale, marginal
from models.fitting.hyper import Chosen, prior_of
from models.fitting.posterior import Posterior, fit_posterior

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FOLDS: Final = 10
SPLIT_FROM: Final = 600  # ratings: 200 can be held out and 400 remain
LEAST_HELD: Final = 200
HELD_SHARE: Final = 0.25

ENOUGH_SCHOOLS: Final = (
    5  # fewer, and a school left out would take too much of what there is to learn with it
)

Method = Literal["split", "cross"]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A posterior and the scale it gives for a new coach in a new school."""

    posterior: Posterior
    scale: Scale


@dataclass(frozen=True, slots=True)
class Calibration:
    """Held-out ratings: indices rows [m] of the design's ratings, probabilities [m, K], fold [m]."""

    method: Method
    rows: Ints
    probs: Floats
    fold: Ints


def fitted(design: Design, chosen: Chosen) -> Fitted:
    """The posterior of these ratings at the chosen hyperparameters."""
    problem = design.problem(chosen.hyper.noise_share)
    prior = prior_of(design, chosen.hyper, problem)
    posterior = fit_posterior(problem, prior, chosen.mode.point)
    variance = chosen.school_sd.variance + chosen.coach_sd.variance
    return Fitted(posterior, marginal(posterior, problem.z, variance))


def out_of_fold(design: Design, chosen: Chosen, seed: int) -> Calibration:
    """Each rating's probabilities from a fit on the nine folds that it is not in.

    Folds are whole schools where there are enough of them: weights learn a little of the habits of the
    schools that were rated, so sets that rest on ratings of these same schools are too narrow for every other
    one (in 20 simulated universes they held .893 of new schools' ratings instead of .905).
    The hyperparameters stay those that all ratings chose. They are five numbers with beliefs of their own, so
    one tenth of the ratings moves them by far less than their doubt, and they never see a single rating's
    level as weights do: a test holds the difference that choosing again would make to a hundredth.
    """
    several = len(np.unique(design.school)) >= ENOUGH_SCHOOLS
    fold = folds_of_schools(design.school) if several else folds_of(design.window, design.level, FOLDS, seed)
    probs = np.empty((len(design), design.stages))
    moved = design.shrunk(chosen.hyper.noise_share)
    for k in range(FOLDS):
        out = fold == k
        if out.any():
            probs[out] = fitted(design.rows(~out), chosen).scale.probabilities(moved[out])
    return Calibration("cross", np.arange(len(design)), probs, fold)


def held_out(design: Design, seed: int) -> Bools:
    """Which ratings [n] to hold out: a quarter, at least 200, whole windows, every level in its share."""
    wanted = max(LEAST_HELD, round(HELD_SHARE * len(design)))
    parts = 100
    part = folds_of(design.window, design.level, parts, seed)
    sizes = np.cumsum(np.bincount(part, minlength=parts))
    return part <= np.searchsorted(sizes, wanted)


def folds_of(window: Ints, level: Ints, folds: int, seed: int) -> Ints:
    """A fold [n] for each rating: all of a window in one, and each fold as alike in levels as can be.

    Windows, in an order drawn by the seed and then sorted by level, are dealt to folds in turn.
    """
    windows, first, back = np.unique(window, return_index=True, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(windows))
    order = order[np.argsort(level[first][order], kind="stable")]
    dealt = np.empty(len(windows), np.int64)
    dealt[order] = np.arange(len(windows)) % folds
    return dealt[back]


def folds_of_schools(school: Ints) -> Ints:
    """A fold [n] for each rating: all of a school in one, the largest schools dealt first to the emptiest."""
    schools, back, counts = np.unique(school, return_inverse=True, return_counts=True)
    fold, load = np.empty(len(schools), np.int64), np.zeros(min(FOLDS, len(schools)), np.int64)
    for one in np.argsort(-counts, kind="stable").tolist():
        fold[one] = load.argmin()
        load[fold[one]] += counts[one]
    return fold[back]
