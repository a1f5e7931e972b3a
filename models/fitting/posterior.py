"""The mode of a dimension's posterior, its covariance, and Laplace's evidence.

The log posterior is concave with its priors (see `surface`), so there is one mode, which damped Newton steps
reach from anywhere: for separable ratings, a single level, columns that repeat one another or hold nothing.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.fitting.surface import Prior, Problem, Surface

__all__ = ["Mode", "Posterior", "Prior", "Problem", "find_mode", "fit_posterior"]

Floats = NDArray[np.float64]

_MOST_STEPS: Final = 100
_MOST_HALVINGS: Final = 50
_RIDGE: Final = 1e-10  # of the scaled curvature: flat directions get a large variance, not an error


@dataclass(frozen=True, slots=True)
class Posterior:
    """The mode and the covariance of its Laplace approximation.

    covariance: of (weights, cuts, school, coach) in this order; log_evidence: Laplace's, without the
    constants of whatever prior is flat; school and coach are empty where their deviation is 0.
    """

    weights: Floats
    cuts: Floats
    school: Floats
    coach: Floats
    covariance: Floats
    log_evidence: float
    converged: bool

    @property
    def fixed_covariance(self) -> Floats:
        """Covariance of (weights, cuts) alone."""
        size = len(self.weights) + len(self.cuts)
        return self.covariance[:size, :size]

    @property
    def point(self) -> Floats:
        """(weights, cuts, school, coach), for `start` of a fit with the same shapes."""
        return np.concatenate([self.weights, self.cuts, self.school, self.coach])


@dataclass(frozen=True, slots=True)
class Mode:
    """Where the search ended: point (weights, cuts, school, coach), curvature there, Laplace's evidence."""

    point: Floats
    curvature: Floats
    log_evidence: float
    converged: bool


def fit_posterior(problem: Problem, prior: Prior, start: Floats | None = None) -> Posterior:
    """The posterior of one dimension's weights, cutpoints and intercepts. start: a `Posterior.point`."""
    mode = find_mode(problem, prior, start)
    scale = _scale(mode.curvature)
    inverse = np.linalg.inv(_scaled(mode.curvature, scale)) / np.outer(scale, scale)
    features, cuts = problem.z.shape[1], problem.stages - 1
    schools = problem.schools if prior.school_sd > 0 else 0
    weights, rest = np.split(mode.point, [features])
    found, school, coach = np.split(rest, [cuts, cuts + schools])
    return Posterior(
        weights, found, school, coach, 0.5 * (inverse + inverse.T), mode.log_evidence, mode.converged
    )


def find_mode(problem: Problem, prior: Prior, start: Floats | None = None, tolerance: float = 1e-11) -> Mode:
    """Damped Newton steps until half the Newton decrement, about the log density still to gain, is less than
    `tolerance`.
    """
    surface = Surface(problem, prior)
    with np.errstate(over="ignore"):  # far out, a curvature of 0 is right
        return _climb(surface, start, tolerance)


def _climb(surface: Surface, start: Floats | None, tolerance: float) -> Mode:
    point = surface.start() if start is None or len(start) != surface.size else start
    height = surface.height(point)
    if not math.isfinite(height):
        point = surface.start()
        height = surface.height(point)
    converged = False
    for _ in range(_MOST_STEPS):
        slope, curvature = surface.slopes(point)
        step = _newton(slope, curvature)
        gain = float(slope @ step)
        if gain < 2 * tolerance:
            converged = True
            break
        share = surface.reach(point, step)
        for _ in range(_MOST_HALVINGS):
            new = point + share * step
            higher = surface.height(new)
            if higher >= height + 1e-4 * share * gain:
                break
            share /= 2
        else:  # no step can be seen to gain: as near as float64 gets
            converged = gain < 1e-6
            break
        point, height = new, higher
    else:
        slope, curvature = surface.slopes(point)
    return Mode(point, curvature, _evidence(surface, height, curvature), converged)


def _evidence(surface: Surface, height: float, curvature: Floats) -> float:
    scale = _scale(curvature)
    log_det = float(np.linalg.slogdet(_scaled(curvature, scale))[1]) + 2 * float(np.log(scale).sum())
    value: float = height + surface.log_constant + 0.5 * (surface.size * math.log(2 * math.pi) - log_det)
    return value


def _newton(slope: Floats, curvature: Floats) -> Floats:
    scale = _scale(curvature)
    step: Floats = np.linalg.solve(_scaled(curvature, scale), slope / scale) / scale
    return step


def _scale(curvature: Floats) -> Floats:
    diagonal = np.diagonal(curvature)
    return np.sqrt(np.where(diagonal > 0, diagonal, 1.0))


def _scaled(curvature: Floats, scale: Floats) -> Floats:
    scaled = curvature / scale[:, None] / scale
    scaled[np.diag_indices_from(scaled)] += _RIDGE
    return scaled
