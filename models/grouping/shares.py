"""Which share of a group's lessons is at each stage: their mean probabilities, moved to the corrected mean.

Lessons' probabilities tell the shape, the corrected mean where it lies. Of all distributions with that mean
the exponential tilt p_k exp(t k) is the nearest to the shape in Kullback and Leibler's sense (Csiszar 1975):
it keeps shares positive, and changes nothing but the odds of neighbouring stages, all by the same factor.
Probabilities are of ratings, and coaches scatter more than lessons do: so in our simulated universes expected
shares lean toward the lowest stage, by about .04 of all lessons.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.grouping.mixture import Mixture

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STEEPEST: Final = 60.0  # the tilt at which even a share of _LEAST of a neighbouring stage becomes all
_LEAST: Final = 1e-12
_HALVINGS: Final = 50
_BLOCK: Final = 512  # groups at a time


def _equal_parts(count: int) -> Floats:
    """Middles of `count` equally likely parts of the standard normal distribution."""
    return np.array([NormalDist().inv_cdf((i + 0.5) / count) for i in range(count)])


_OF_MEAN: Final = _equal_parts(15)
_OF_REST: Final = _equal_parts(7)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a group's lessons [m groups] foretell. share [m, K]: their mean probabilities; rest [m, K]: the
    variance of one lesson's being at a stage that its probabilities leave open and its level does not tell.
    """

    share: Floats
    rest: Floats


@dataclass(frozen=True, slots=True)
class Shares:
    """By group: mean [m], the level that the expected shares [m, K] have; low and high [m, K] of a share."""

    mean: Floats
    share: Floats
    low: Floats
    high: Floats


def shape_of(probs: Floats, group: Ints, groups: int) -> Shape:
    """The shape of groups that each have a lesson; probs [n, K], group [n].

    Given its level, a stage's indicator has the variance that a regression on the level leaves.
    """
    stages = np.arange(probs.shape[1])
    level = probs @ stages
    n = np.bincount(group, minlength=groups).astype(np.float64)[:, None]

    def mean(value: Floats) -> Floats:
        return np.stack([np.bincount(group, column, groups) for column in value.T], axis=1) / n

    own = mean(probs * (1 - probs))
    beside = mean(probs * (stages - level[:, None]))
    spread = np.maximum(mean((probs @ stages**2 - level**2)[:, None]), 1e-12)
    return Shape(mean(probs), np.maximum(own - beside**2 / spread, 0.0))


def tilted(share: Floats, mean: Floats) -> Floats:
    """The exponential tilts of distributions [..., K] that have the means [...], from 0 to K - 1."""
    stages = np.arange(share.shape[-1])
    log = np.log(np.maximum(share, _LEAST))
    low, high = np.full(mean.shape, -_STEEPEST), np.full(mean.shape, _STEEPEST)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        under = _softmax(log + middle[..., None] * stages) @ stages < mean
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return _softmax(log + (0.5 * (low + high))[..., None] * stages)


def shares_of(shape: Shape, mixture: Mixture, open_: Floats, inside: float) -> Shares:
    """Expected shares and the interval of each that holds `inside` of what is possible.

    mixture: of the groups' mean levels; open_ [m]: variance of the mean of the lessons' own chances, in units
    of one lesson's. Shares follow the mean as the mixture has it, and scatter around that by `rest`.
    """
    parts = [
        _some(shape, mixture, open_, inside, slice(start, start + _BLOCK))
        for start in range(0, len(open_), _BLOCK)
    ]
    mean, share, low, high = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Shares(mean, share, low, high)


def _some(
    shape: Shape, mixture: Mixture, open_: Floats, inside: float, part: slice
) -> tuple[Floats, Floats, Floats, Floats]:
    top = shape.share.shape[1] - 1
    at = mixture.mean[part, :, None] + mixture.sd[part, :, None] * _OF_MEAN
    level = np.clip(at, 0.0, top).reshape(len(at), -1)
    weight = np.repeat(mixture.weight, len(_OF_MEAN)) / len(_OF_MEAN)
    moved = tilted(shape.share[part, None, :], level)
    share = weight @ moved
    sd = np.sqrt(shape.rest[part] * open_[part, None])
    every = moved.transpose(0, 2, 1)[..., None] + sd[..., None, None] * _OF_REST
    values = np.clip(every, 0.0, 1.0).reshape(*share.shape, -1)
    weights = np.repeat(weight, len(_OF_REST)) / len(_OF_REST)
    low, high = _quantiles(values, weights, ((1 - inside) / 2, (1 + inside) / 2))
    return level @ weight, share, np.minimum(low, share), np.maximum(high, share)


def _quantiles(values: Floats, weight: Floats, shares: tuple[float, ...]) -> list[Floats]:
    """Quantiles [...] of values [..., j] that are as likely as weight [j] says."""
    order = values.argsort(axis=-1)
    ranked = np.take_along_axis(values, order, axis=-1)
    below = weight[order].cumsum(axis=-1)
    at = [(below < share).sum(axis=-1, keepdims=True).clip(max=len(weight) - 1) for share in shares]
    return [np.take_along_axis(ranked, i, axis=-1)[..., 0] for i in at]


def _softmax(log: Floats) -> Floats:
    grown = np.exp(log - log.max(axis=-1, keepdims=True))
    found: Floats = grown / grown.sum(axis=-1, keepdims=True)
    return found
