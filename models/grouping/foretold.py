"""Means of foretold levels by school and class, and how much of them is more than chance."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.grouping.clusters import USUAL_ICC, doubt_of_means, variance_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Beliefs: docs/decisions/0014-levels-of-schools.md says why each has its value.
_USUAL_SCHOOLS: Final = 3  # schools that what is believed of their spread is worth


@dataclass(frozen=True, slots=True)
class Lessons:
    """Lessons that saw anything, [n]: foretold level 0..K-1, school and class as codes from 0.

    class_: None where no class is named; else every class lies within one school.
    """

    level: Floats
    school: Ints
    class_: Ints | None
    schools: int
    classes: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Variances of foretold levels: between schools, between classes of a school, within a class."""

    schools: float
    classes: float
    lessons: float

    @property
    def total(self) -> float:
        """The variance of all lessons."""
        return self.schools + self.classes + self.lessons

    @property
    def icc(self) -> float:
        """The intraclass correlation of lessons of a class in a school."""
        return self.classes / (self.classes + self.lessons) if self.classes > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Means:
    """school [S]: mean foretold level, NaN without a lesson; steady [S]: the share of a school's distance
    from the others that more lessons would leave standing; class_ [C]: a class's mean; ahead [C]: how far it
    lies above its school's, times the same share for classes; class_lessons [C]; home [C]: its school.
    """

    school: Floats
    steady: Floats
    class_: Floats
    ahead: Floats
    class_lessons: Ints
    home: Ints


def spread_of(lessons: Lessons, usual: float) -> Spread:
    """Components of variance, by moments; that of schools drawn toward `usual`, a standard deviation."""
    if lessons.class_ is None:
        inside = variance_of(lessons.level, lessons.school)
        total, icc = inside.within, USUAL_ICC
    else:
        inside = variance_of(lessons.level, lessons.class_, lessons.school)
        total, icc = max(inside.between, 0.0) + inside.within, inside.icc
    doubt = total * doubt_of_means(lessons.school, lessons.class_, lessons.schools, icc)
    some = np.isfinite(doubt)
    total_level = np.bincount(lessons.school, lessons.level, lessons.schools)[some]
    mean = total_level / np.bincount(lessons.school, minlength=lessons.schools)[some]
    freedom = len(mean) - 1
    square = float(((mean - mean.mean()) ** 2).sum()) - freedom * float(doubt[some].mean())
    between = (_USUAL_SCHOOLS * usual**2 + max(square, 0.0)) / (_USUAL_SCHOOLS + freedom)
    return Spread(between, icc * total, (1 - icc) * total)


def means_of(lessons: Lessons, spread: Spread) -> Means:
    """Means by school and class; spread: of the lessons that the fit knew."""
    count = np.bincount(lessons.school, minlength=lessons.schools)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(lessons.school, lessons.level, lessons.schools) / count
    total = spread.classes + spread.lessons
    doubt = total * doubt_of_means(lessons.school, lessons.class_, lessons.schools, spread.icc)
    steady = spread.schools / (spread.schools + doubt)
    if lessons.class_ is None:
        none, nobody = np.zeros(0), np.zeros(0, np.int64)
        return Means(mean, steady, none, none, nobody, nobody)
    size = np.bincount(lessons.class_, minlength=lessons.classes)
    home = np.zeros(lessons.classes, np.int64)
    home[lessons.class_] = lessons.school
    with np.errstate(invalid="ignore"):
        own = np.bincount(lessons.class_, lessons.level, lessons.classes) / size
    share = size * spread.classes / np.maximum(size * spread.classes + spread.lessons, 1e-300)
    ahead = np.where(size > 0, share * (own - mean[home]), 0.0)
    return Means(mean, steady, own, ahead, size, home)
