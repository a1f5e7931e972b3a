"""Draws of a universe's parameters: how features answer to stages, and how much they wander by themselves."""

from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import FEATURE_INDEX, FEATURES
from models.integration.load import Dimension

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WEIGHED: Final = len(FEATURES) - 1  # every feature but evidence, which tells of reliability only

SIGNAL: Final = 1.8  # effect in units of the noise for one of rubric's log-odds
_STRAY: Final = 0.3  # spread of true effects around the rubric's
_WEAK: Final = 0.1  # mean effect where the rubric names none

# The expected direction of each feature where a dimension's rubric names no weight.
_DIRECTION: Final = np.array([-1.0, -1.0, *[1.0] * 15, -1.0, -1.0, 1.0, 1.0, 0.0, -0.5])
_OFTEN_PEAKED: Final = np.array([FEATURE_INDEX["transition_entropy"], FEATURE_INDEX["app_entropy"]])

QUANTILES: Final = np.array([NormalDist().inv_cdf((i + 0.5) / 2000) for i in range(2000)])


def jittered_rates(rng: np.random.Generator, scale: Dimension) -> Floats:
    """Base rates [K] around the model's own."""
    moved = np.asarray(scale.base_rates) * np.exp(rng.normal(0.0, 0.12, len(scale.base_rates)))
    rates: Floats = moved / moved.sum()
    return rates


def latent_cuts(rates: Floats) -> Floats:
    """Cuts [K - 1] of a standard normal latent that give the base rates [K]."""
    normal = NormalDist()
    return np.array([normal.inv_cdf(p) for p in np.cumsum(rates)[:-1].tolist()])


def places(latent: Floats, cuts: Floats, *, stepped: bool) -> Floats:
    """Where on its scale of 0..K-1 a lesson [n] stands: its very level if stepped, else between -1/2 and
    K - 1/2 with cut k at k - 1/2.
    """
    if stepped:
        return np.searchsorted(cuts, latent).astype(np.float64)
    ends = np.concatenate([cuts[:1] - 0.9, cuts, cuts[-1:] + 0.9])
    found: Floats = np.interp(latent, ends, np.arange(len(ends)) - 0.5)
    return found


def rubric_weights(scales: list[Dimension]) -> Floats:
    """The rubric's weights [D, 23], 0 where it names none."""
    weights = np.zeros((len(scales), WEIGHED))
    for row, scale in zip(weights, scales, strict=True):
        for indicator in scale.indicators:
            row[FEATURE_INDEX[indicator.feature]] = indicator.weight
    return weights


def effect_sizes(rng: np.random.Generator, rubric: Floats, signs_wrong: float) -> Floats:
    """True effects [D, 23] in units of noise for one deviation of the place.

    Around the rubric [D, 23], or weakly in the expected direction where it is silent; for the share
    `signs_wrong` of each dimension's rubric features around the opposite of what the rubric says.
    """
    silent = _WEAK * _DIRECTION * np.abs(rng.normal(1.0, 0.5, rubric.shape))
    mean = np.where(rubric != 0, rubric, silent)
    for row, named in zip(mean, rubric != 0, strict=True):
        which = rng.permutation(np.flatnonzero(named))
        row[which[: round(signs_wrong * len(which))]] *= -1.0
    strength = SIGNAL * np.exp(rng.normal(0.0, 0.1))
    sizes: Floats = strength * (mean + rng.normal(0.0, _STRAY, rubric.shape))
    return sizes


def peaked_features(rng: np.random.Generator) -> NDArray[np.bool_]:
    """2 to 5 features [23] that are strongest at a middle stage, the entropies four times as often."""
    odds = np.ones(WEIGHED)
    odds[_OFTEN_PEAKED] = 4.0
    chosen = rng.choice(WEIGHED, int(rng.integers(2, 6)), replace=False, p=odds / odds.sum())
    return np.isin(np.arange(WEIGHED), chosen)


def grid_of(stages: int, *, stepped: bool) -> Floats:
    """Places at which effects are tabulated: the levels, or finely from one end of the scale to the other."""
    return np.arange(float(stages)) if stepped else np.linspace(-0.5, stages - 0.5, 8 * stages + 1)


def effect_table(
    rng: np.random.Generator, size: Floats, peaked: NDArray[np.bool_], cuts: Floats, *, stepped: bool
) -> Floats:
    """Mean of each feature at each place of the grid [G, 23], of mean 0 and deviation |size| over lessons."""
    stages = len(cuts) + 1
    power = np.exp(rng.normal(0.0, 0.3, WEIGHED))
    top = rng.uniform(0.4, 0.7, WEIGHED)
    grid = grid_of(stages, stepped=stepped)
    relative = ((grid + 0.5) / stages)[:, None]
    shape = np.where(peaked, -((relative - top) ** 2), relative**power)
    usual = at_places(shape, grid, places(QUANTILES, cuts, stepped=stepped))
    table: Floats = size * (shape - usual.mean(axis=0)) / usual.std(axis=0)
    return table


def at_places(table: Floats, grid: Floats, place: Floats) -> Floats:
    """Rows [n, 23] of a table [G, 23] at places [n], linearly between the grid's points [G]."""
    step = grid[1] - grid[0]
    at = np.clip((place - grid[0]) / step, 0.0, len(grid) - 1.0)
    below = np.minimum(at.astype(np.int64), len(grid) - 2)
    part = (at - below)[:, None]
    rows: Floats = (1.0 - part) * table[below] + part * table[below + 1]
    return rows


def interacting_pairs(rng: np.random.Generator, count: int, dimensions: int) -> Ints:
    """Pairs of features and the dimension that their product tells of, [P, 3]; no feature is in two."""
    features = rng.permutation(WEIGHED)[: 2 * count].reshape(-1, 2)
    return np.column_stack([features, np.arange(len(features)) % dimensions]).astype(np.int64)


def student_scales(freedom: float, values: int = 6) -> Floats:
    """Variances by which Student's t is a mixture of normals: equally likely values of mean 1.

    The quantiles of freedom / chi-square(freedom) by the Wilson-Hilferty cube, which is all a simulator
    needs of them.
    """
    normal = NormalDist()
    z = np.array([normal.inv_cdf((i + 0.5) / values) for i in range(values)])
    scale: Floats = (1.0 - 2.0 / (9.0 * freedom) + z * np.sqrt(2.0 / (9.0 * freedom))) ** -3
    scale /= scale.mean()
    return scale
