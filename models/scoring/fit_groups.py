"""What a fit's file says of classes and schools: how far their levels lie from foretold ones."""

import math
from typing import Final

import numpy as np

from models.scoring.strict import Struct, finite

_LEAST_COMPRESSION: Final = 0.01
_LARGEST: Final = 1e3  # levels
_ROUNDING: Final = 1e-9


class SchoolBias(Struct, frozen=True):
    """One possibility, `weight` likely: sd of schools' own bias, and the coefficients that go with it.

    mean [3] and covariance [3, 3]: of the offset, of the slope on a school's distance from the others, and of
    the slope on a class's distance from its school; all on the scale of ratings.
    """

    weight: float
    sd: float
    mean: tuple[float, float, float]
    covariance: tuple[tuple[float, ...], ...]


class KnownSchool(Struct, frozen=True):
    """A rated school: how far its ratings' mean lies from the foretold one, and how well that is known."""

    id: str
    ratings: int
    shift: float
    sd: float


class Groups(Struct, frozen=True):
    """What mean levels of classes and schools need beyond a lesson's scale (see `fitting.schools`).

    centre: mean foretold level of the rated schools; true_centre: the true level that goes with it;
    compression: what of a true difference ratings show, from `twice` windows rated twice and a belief;
    lesson_variance: of a lesson's true level around the foretold one; icc: correlation of lessons of a class;
    school_, class_, within_variance: of foretold levels; visible [24]: share of rated windows that show it.
    """

    centre: float
    true_centre: float
    compression: float
    twice: int
    lesson_variance: float
    icc: float
    school_variance: float
    class_variance: float
    within_variance: float
    visible: tuple[float, ...]
    bias: tuple[SchoolBias, ...]
    schools: tuple[KnownSchool, ...]


def group_findings(groups: Groups, stages: int, many: int) -> list[str]:
    """What is wrong with the groups of a dimension of so many stages, with so many features."""
    top = stages - 1
    variances = (
        groups.lesson_variance,
        groups.school_variance,
        groups.class_variance,
        groups.within_variance,
    )
    found = []
    if not all(0 <= level <= top for level in (groups.centre, groups.true_centre)):
        found.append(f"the centre of schools must lie from 0 to {top}")
    if not (_LEAST_COMPRESSION <= groups.compression <= 1 and 0 <= groups.icc <= 1 and groups.twice >= 0):
        found.append("compression and correlation of groups must lie between 0 and 1")
    if not finite(variances) or not all(0 <= variance <= top**2 for variance in variances):
        found.append(f"variances of groups must lie from 0 to {top**2}")
    if len(groups.visible) != many or not all(0 <= share <= 1 for share in groups.visible):
        found.append(f"what rated windows show must be {many} shares")
    if any(not finite((one.shift, one.sd)) or one.sd <= 0 or one.ratings < 1 for one in groups.schools):
        found.append("a rated school has a shift, its deviation above 0, and ratings")
    if not groups.bias or abs(math.fsum(one.weight for one in groups.bias) - 1) > 1e-6:
        found.append("possible biases of schools must have weights that sum to 1")
    return found + [text for one in groups.bias for text in _bias_findings(one)]


def _bias_findings(bias: SchoolBias) -> list[str]:
    rows = bias.covariance
    if not finite((bias.weight, bias.sd), bias.mean, *rows) or bias.weight < 0 or bias.sd <= 0:
        return ["a possible bias of schools must be finite, its deviation above 0"]
    if len(rows) != 3 or any(len(row) != 3 for row in rows):
        return ["the covariance of a possible bias must be 3 by 3"]
    if max(bias.sd, *map(abs, (*bias.mean, *(number for row in rows for number in row)))) > _LARGEST:
        return [f"a possible bias of schools must be of numbers up to {_LARGEST:g}"]
    square = np.array(rows)
    if not np.allclose(square, square.T) or np.linalg.eigvalsh(square).min() < -_ROUNDING:
        return ["the covariance of a possible bias must be one: symmetric, no variance below 0"]
    return []
