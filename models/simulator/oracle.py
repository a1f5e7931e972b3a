"""The oracle: what one who knew a universe's true densities would say of a lesson."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE
from models.simulator.universe import Lessons, Universe
from models.simulator.walkthroughs import any_coach_odds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SAMPLED: Final = 10_000  # latents that stand for all where there is no finite list of levels
_MOST_LISTED: Final = 20_000
_NODES: Final = 41
_CELLS: Final = 8_000_000


@dataclass(frozen=True, slots=True)
class _States:
    """What a lesson may be [S]: latents that stand for it, probability, mean of z, noise over the usual."""

    latent: Floats
    weight: Floats
    means: Floats
    scale: Floats


def oracle(universe: Universe, lessons: Lessons, *, shifts_known: bool = False) -> Floats:
    """Probabilities [n, D, K of the largest] of the true levels, given one lesson's features alone.

    By Bayes with the true densities. shifts_known: whether the habits of the lesson's school are known as
    well; if not they are averaged over, as for a school never seen. Exact in the family `steps` up to
    20,000 combinations of levels, else over 10,000 latents drawn from the prior.
    """
    return oracle_both(universe, lessons, shifts_known=shifts_known)[0]


def oracle_both(universe: Universe, lessons: Lessons, *, shifts_known: bool = False) -> tuple[Floats, Floats]:
    """The oracle's probabilities [n, D, K] of the true levels, and of the rating by a coach unknown to it."""
    states = _all_states(universe)
    level = universe.levels(states.latent)
    truth = [(level[:, d, None] == np.arange(k)).astype(np.float64) for d, k in enumerate(universe.stages)]
    rated = [
        any_coach_odds(universe, universe.place(states.latent, d), d) for d in range(len(universe.stages))
    ]
    flat = _posterior(universe, lessons, states, np.concatenate([*truth, *rated], axis=1), shifts_known)
    half = flat.shape[1] // 2
    return _by_dimension(flat[:, :half], universe.stages), _by_dimension(flat[:, half:], universe.stages)


def long_run_means(universe: Universe) -> Floats:
    """Mean level [S, D] of each school over endlessly many of its lessons."""
    left = math.sqrt(1.0 - universe.between_schools)
    below = [
        _normal_below((cuts - universe.schools.latent[:, d, None]) / left)
        for d, cuts in enumerate(universe.cuts)
    ]
    return np.stack([(1.0 - part).sum(axis=1) for part in below], axis=1)


def _posterior(
    universe: Universe, lessons: Lessons, states: _States, what: Floats, shifts_known: bool
) -> Floats:
    """Expectation [n, C] of `what` [S, C] over the states, given each lesson.

    Features not seen are left out: one set of sums for each pattern of what is seen. The lasting part of
    the covariance and the noise are turned to be diagonal together, so that the likelihood is a sum over
    independent axes whatever the noise of the window.
    """
    z = universe.straight(lessons.x)
    lasting = universe.nuisance.T @ universe.nuisance
    if shifts_known:
        z = z - universe.schools.shift[lessons.school]
    else:
        lasting = lasting + universe.habit.T @ universe.habit + np.diag(universe.habit_own**2)
    by_evidence = universe.noise_scale(lessons.x[:, EVIDENCE])
    found = np.zeros((len(lessons), what.shape[1]))
    patterns, pattern = np.unique(np.isfinite(z), axis=0, return_inverse=True)
    for p, seen in enumerate(patterns):
        rows = np.flatnonzero(pattern.ravel() == p)
        noise = universe.noise[seen]
        spread, turn = np.linalg.eigh(lasting[np.ix_(seen, seen)] / np.outer(noise, noise))
        points = (z[np.ix_(rows, np.flatnonzero(seen))] / noise) @ turn
        centres = (states.means[:, seen] / noise) @ turn
        size = max(1, _CELLS // len(states.weight))
        for at in range(0, len(rows), size):
            part = slice(at, at + size)
            log = _log_likelihood(points[part], by_evidence[rows[part]], spread, centres, states)
            likelihood = np.exp(log - log.max(axis=1, keepdims=True))
            found[rows[part]] = likelihood @ what / likelihood.sum(axis=1, keepdims=True)
    return found


def _log_likelihood(
    points: Floats, by_evidence: Floats, spread: Floats, centres: Floats, states: _States
) -> Floats:
    """Log of prior times likelihood [n, S], up to a number for each row; states stand by their scale."""
    log = np.empty((len(points), len(centres)))
    scales, first = np.unique(states.scale, return_index=True)
    for scale, start, end in zip(scales.tolist(), first, [*first[1:], len(centres)], strict=True):
        its = slice(start, end)
        variance = by_evidence[:, None] * scale + spread
        own = -0.5 * (points**2 / variance + np.log(variance)).sum(axis=1)
        its_centres = centres[its]
        log[:, its] = (points / variance) @ its_centres.T - 0.5 * (1.0 / variance) @ (its_centres**2).T
        log[:, its] += own[:, None]
    return log + np.log(states.weight)


def _all_states(universe: Universe) -> _States:
    if universe.stepped and math.prod(universe.stages) <= _MOST_LISTED:
        latent, weight = _every_level(universe)
    else:
        latent = universe.correlated(np.random.default_rng(0), _SAMPLED)
        weight = np.full(_SAMPLED, 1.0 / _SAMPLED)
    means = universe.means(latent)
    for pair in range(len(universe.pairs)):
        mode = universe.mode(latent, pair)
        if len(means) > len(mode):
            mode = np.tile(mode, (len(means) // len(mode), 1))
        means = np.concatenate([means + mode, means - mode])
    copies = len(means) // len(latent)
    latent, weight = np.tile(latent, (copies, 1)), np.tile(weight / copies, copies)
    tails = universe.tails
    scale = np.round(universe.level_scale(universe.levels(latent)), 9)
    scale = np.outer(tails, scale).ravel()
    order = np.argsort(scale, kind="stable")
    return _States(
        latent=np.tile(latent, (len(tails), 1))[order],
        weight=np.tile(weight / len(tails), len(tails))[order],
        means=np.tile(means, (len(tails), 1))[order],
        scale=scale[order],
    )


def _every_level(universe: Universe) -> tuple[Floats, Floats]:
    """A latent inside every combination of levels [S, D], and its probability [S] for an unknown lesson.

    Given what is common to all dimensions they are independent; that is integrated out.
    """
    nodes, node_weight = np.polynomial.hermite_e.hermegauss(_NODES)
    joint = np.ones((_NODES, 1))
    inside = []
    for a, cuts in zip(universe.loading.tolist(), universe.cuts, strict=True):
        below = np.zeros((_NODES, len(cuts) + 2))
        below[:, 1:-1] = _normal_below((cuts - a * nodes[:, None]) / math.sqrt(1.0 - a * a))
        below[:, -1] = 1.0
        joint = (joint[:, :, None] * np.diff(below, axis=1)[:, None, :]).reshape(_NODES, -1)
        ends = np.concatenate([cuts[:1] - 1.0, cuts, cuts[-1:] + 1.0])
        inside.append((ends[1:] + ends[:-1]) / 2.0)
    latent = np.stack([axis.ravel() for axis in np.meshgrid(*inside, indexing="ij")], axis=1)
    weight: Floats = node_weight @ joint / node_weight.sum()
    return latent, weight


def _by_dimension(flat: Floats, stages: tuple[int, ...]) -> Floats:
    probs = np.zeros((len(flat), len(stages), max(stages)))
    at = 0
    for d, k in enumerate(stages):
        probs[:, d, :k] = flat[:, at : at + k]
        at += k
    return probs


def _normal_below(x: Floats) -> Floats:
    """P(N(0, 1) <= x)."""
    below: Floats = 0.5 * (1.0 + np.vectorize(math.erf, otypes=[np.float64])(x / math.sqrt(2.0)))
    return below
