"""One dimension's ratings as arrays to fit, and the scale that a fit makes of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURES
from models.fitting.posterior import Posterior, Problem
from models.scoring.ordinal import stage_probabilities
from models.scoring.reference import Reference
from models.scoring.shrink import kept

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Every feature but evidence, which speaks of reliability only.
WEIGHTED: Final = np.delete(np.arange(len(FEATURES)), EVIDENCE)
# 1 / (1 + exp(-x)) averaged over normal doubt of variance v is nearly 1 / (1 + exp(-x / sqrt(1 + v pi / 8)))
# (MacKay 1992). Up to a variance of 2 it errs by at most .008, half as much as adding v to the logistic's own
# variance, pi^2 / 3, would.
DOUBT: Final = math.pi / 8


@dataclass(frozen=True, slots=True)
class Design:
    """Ratings [n] of one dimension, in an order of their own that the files' order does not change.

    z: [n, 23] standardised, not yet shrunk, 0 where missing; share: [n] evidence by the reference's median,
    NaN where missing; level, school, coach, window: [n] codes from 0; rubric: [23], 0 where it names none.
    """

    z: Floats
    share: Floats
    level: Ints
    school: Ints
    coach: Ints
    window: Ints
    schools: tuple[str, ...]
    coaches: tuple[str, ...]
    rubric: Floats
    base_rates: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.level)

    @property
    def stages(self) -> int:
        """K, the number of the dimension's stages."""
        return len(self.base_rates)

    def rows(self, pick: NDArray[Any]) -> "Design":
        """Some of the ratings, by index or mask, with all codes kept."""
        arrays = ("z", "share", "level", "school", "coach", "window")
        return replace(self, **{name: getattr(self, name)[pick] for name in arrays})

    def shrunk(self, noise_share: float) -> Floats:
        """Standardised features [n, 23], shrunk by evidence."""
        moved: Floats = self.z * kept(self.share, noise_share)[:, None]
        return moved

    def problem(self, noise_share: float) -> Problem:
        """What `fit_posterior` fits: shrunk features, levels, schools and coaches."""
        return Problem(
            z=self.shrunk(noise_share),
            level=self.level,
            stages=self.stages,
            school=self.school,
            schools=len(self.schools),
            coach=self.coach,
            coaches=len(self.coaches),
        )


@dataclass(frozen=True, slots=True)
class Scale:
    """weights [23] and cuts [K - 1] for a new coach in a new school; `conditional` is what both were
    multiplied by: 1 / sqrt(1 + DOUBT * variance) with the variance of what is not known of such a rating.
    """

    weights: Floats
    cuts: Floats
    conditional: float

    def probabilities(self, shrunk: Floats) -> Floats:
        """Stage probabilities [n, K] of shrunk features [n, 23]."""
        return stage_probabilities(shrunk @ self.weights, self.cuts)


def marginal(posterior: Posterior, shrunk: Floats, intercept_variance: float) -> Scale:
    """The scale averaged over schools, coaches and what the ratings leave open of weights and cutpoints.

    The doubt of eta - cut is averaged over rows [n, 23] and cutpoints.
    """
    features, cuts = len(posterior.weights), len(posterior.cuts)
    mean = shrunk.sum(axis=0) / max(1, len(shrunk))
    square = shrunk.T @ shrunk / max(1, len(shrunk))
    moment = np.zeros((features + cuts,) * 2)
    moment[:features, :features] = square
    moment[:features, features:] = -mean[:, None] / cuts
    moment[features:, :features] = moment[:features, features:].T
    moment[features:, features:] = np.eye(cuts) / cuts
    variance = intercept_variance + float((posterior.fixed_covariance * moment).sum())
    conditional = 1.0 / math.sqrt(1.0 + DOUBT * max(variance, 0.0))
    return Scale(posterior.weights * conditional, posterior.cuts * conditional, conditional)


def standardised(x: Floats, reference: Reference) -> tuple[Floats, Floats]:
    """Features x [n, 24] as z [n, 23], 0 where missing, and evidence by the reference's median [n]."""
    z = ((x - reference.mean) / reference.sd)[:, WEIGHTED]
    z[np.isnan(z)] = 0.0
    return z, x[:, EVIDENCE] / reference.median_evidence


def coded(names: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Codes [n] of names by their sorted order, and the names in that order."""
    table = tuple(sorted(set(names)))
    code = {name: i for i, name in enumerate(table)}
    return np.array([code[name] for name in names], np.int64), table
