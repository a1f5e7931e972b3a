"""A universe's parameters drawn group by group; the order of draws is what a seed stands for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.integration.load import Dimension
from models.scoring.reference import shipped_reference
from models.simulator import parameters
from models.simulator.options import Options
from models.simulator.parameters import WEIGHED
from models.simulator.warp import warped

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NUISANCES: Final = 2
HABITS: Final = 2
PAIR: Final = 1.3  # what an interacting pair's hidden mode adds to each of its features
_SHIFT: Final = 1.1  # spread of a school's habits of apps, in units of the noise


@dataclass(frozen=True, slots=True)
class Answers:
    """How features answer to D dimensions: cuts [D][K - 1], effects [D][G, 23] of sizes [D, 23], and which
    features [23] peak at a middle stage.
    """

    cuts: tuple[Floats, ...]
    peaked: NDArray[np.bool_]
    sizes: Floats
    effects: tuple[Floats, ...]


@dataclass(frozen=True, slots=True)
class Wandering:
    """How far features [23] wander by themselves, in units of the noise: see `Universe`."""

    noise: Floats
    nuisance: Floats
    habit: Floats
    habit_own: Floats
    pairs: Ints

    def variance(self) -> Floats:
        """Of each feature [23], all of it together."""
        total: Floats = (self.nuisance**2).sum(axis=0) + (self.habit**2).sum(axis=0)
        total = total + self.habit_own**2 + self.noise**2
        total[self.pairs[:, :2].ravel()] += PAIR**2
        return total


@dataclass(frozen=True, slots=True)
class Units:
    """What makes natural units of z: skew, centre and unit [23]."""

    skew: Floats
    centre: Floats
    unit: Floats


def answers(rng: np.random.Generator, scales: Sequence[Dimension], options: Options) -> Answers:
    """How features answer to the stages of these scales."""
    stepped = options.family == "steps"
    cuts = tuple(parameters.latent_cuts(parameters.jittered_rates(rng, scale)) for scale in scales)
    peaked = parameters.peaked_features(rng)
    sizes = parameters.effect_sizes(rng, parameters.rubric_weights(list(scales)), options.signs_wrong)
    sizes = sizes * (1.0 if stepped else 1.25)
    effects = tuple(
        parameters.effect_table(rng, size, peaked, cut, stepped=stepped)
        for size, cut in zip(sizes, cuts, strict=True)
    )
    return Answers(cuts, peaked, sizes, effects)


def wandering(rng: np.random.Generator, interactions: int, dimensions: int) -> Wandering:
    """What moves features besides the stages."""
    noise = np.exp(rng.normal(0.0, 0.15, WEIGHED))
    nuisance = rng.normal(0.0, 0.35, (NUISANCES, WEIGHED)) * rng.uniform(0.7, 1.3)
    shift = _SHIFT * np.exp(rng.normal(0.0, 0.2))
    habit = rng.normal(0.0, shift * np.sqrt(0.5 / HABITS), (HABITS, WEIGHED))
    habit_own = np.full(WEIGHED, shift * np.sqrt(0.5))
    return Wandering(
        noise, nuisance, habit, habit_own, parameters.interacting_pairs(rng, interactions, dimensions)
    )


def units(rng: np.random.Generator, *, stepped: bool) -> Units:
    """Units in which features have the mean and the spread of set 1's reference."""
    reference = shipped_reference()
    skew = np.where(rng.random(WEIGHED) < (0.0 if stepped else 0.5), rng.uniform(0.3, 0.9), 0.0)
    usual = warped(parameters.QUANTILES[:, None], skew)
    unit = reference.sd[:WEIGHED] / usual.std(axis=0)
    return Units(skew, reference.mean[:WEIGHED] - unit * usual.mean(axis=0), unit)
