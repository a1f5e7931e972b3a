"""True levels of classes and schools with 90% intervals, and whether they may be compared."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.grouping.clusters import doubt_of_means, variance_of
from models.grouping.foretold import Lessons, Spread, means_of
from models.grouping.mixture import Mixture
from models.grouping.shares import shape_of, shares_of
from models.grouping.windows import Windows
from models.scoring.fit_file import DimensionFit
from models.scoring.fit_groups import Groups

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
By = Literal["class", "school"]

COMPARABLE: Final = "comparable"
VISIBILITY: Final = "visibility_differs"
FEW_CLASSES: Final = "too_few_classes"
FEW_LESSONS: Final = "too_few_lessons"
NO_EVIDENCE: Final = "no_evidence"
NOT_CALIBRATED: Final = "not_calibrated"

# With five lessons a class's doubt comes from habits of its school as much as from its few lessons.
LEAST_LESSONS: Final = {"class": 5, "school": 10}
LEAST_CLASSES: Final = 3  # as a week's record asks for: a school is more than one or two teachers
SEEN_DIFFERENTLY: Final = 0.25  # of the dimension's weights
_SEEN_DOUBT: Final = 0.5  # deviations left open if all weights were seen differently (docs/decisions/0014)
INSIDE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Levels:
    """By group [G]: lessons with evidence; mean level 0..K-1 and its 90% interval; expected share of lessons
    at each stage [G, K] and its 90% interval; NaN where nothing honest can be said; status: `comparable`, or
    why not.
    """

    n: Ints
    mean: Floats
    low: Floats
    high: Floats
    share: Floats
    share_low: Floats
    share_high: Floats
    status: tuple[str, ...]


def levels_of(probs: Floats, windows: Windows, fit: DimensionFit, by: By) -> Levels:
    """Levels of every school or class, in the order of their codes; probs [N, K] of the dimension.

    A group's true mean is the foretold one, corrected by what a school's distance from the others and a
    class's from its school are worth, plus the school's own bias, plus what lessons leave open. These doubts
    add up for each possible size of schools' biases; the answer is the mixture over the sizes. Being seen
    otherwise than the rated lessons adds its own. A mean cannot lie off the scale: what of its mixture does
    counts as the end. Only windows that saw something count, each alike: an empty one foretells nothing but
    the average.

    Uncalibrated groups have no interval, so no mean either. The others keep theirs when they may not be
    compared: it says how little is known.
    """
    code, names = (windows.school, windows.schools)
    if by == "class" and windows.class_ is not None:
        code, names = windows.class_, windows.classes
    size, stages = len(names), probs.shape[1]
    n = np.bincount(code[windows.shown], minlength=size)
    mean, low, high = np.full((3, size), np.nan)
    share, share_low, share_high = np.full((3, size, stages), np.nan)
    apart = seen_differently(windows, fit, code, size)
    if fit.groups is not None and windows.shown.any():
        some = np.flatnonzero(n)
        seen, member = probs[windows.shown], np.searchsorted(some, code[windows.shown])
        lessons = _lessons(seen @ np.arange(stages), windows)
        mixture, open_ = _mixture(lessons, windows.schools, fit.groups, by, some, apart[some])
        told = shares_of(shape_of(seen, member, len(some)), mixture, open_, INSIDE)
        mean[some] = told.mean
        share[some], share_low[some], share_high[some] = told.share, told.low, told.high
        ends = [
            np.clip(mixture.quantile(at), 0.0, stages - 1.0) for at in ((1 - INSIDE) / 2, (1 + INSIDE) / 2)
        ]
        # Where nearly all of a mixture lies off the scale, its mean on the scale falls just short of the end.
        low[some], high[some] = np.minimum(ends[0], told.mean), np.maximum(ends[1], told.mean)
    status = _status(windows, fit, by, code, n, apart)
    return Levels(n, mean, low, high, share, share_low, share_high, status)


def _lessons(level: Floats, windows: Windows) -> Lessons:
    class_ = None if windows.class_ is None else windows.class_[windows.shown]
    school = windows.school[windows.shown]
    return Lessons(level, school, class_, len(windows.schools), len(windows.classes))


def _mixture(
    lessons: Lessons, schools: tuple[str, ...], groups: Groups, by: By, some: Ints, apart: Floats
) -> tuple[Mixture, Floats]:
    """Possible mean levels of the groups [m], and what lessons' own chances leave open of a mean, in units
    of one lesson's variance.
    """
    spread = Spread(groups.school_variance, groups.class_variance, groups.within_variance)
    means = means_of(lessons, spread)
    icc = groups.icc
    if lessons.class_ is not None:
        icc = variance_of(lessons.level, lessons.class_, lessons.school).icc_after(groups.icc)
    with np.errstate(invalid="ignore"):
        distance = means.school - groups.centre
    if by == "school":
        home, foretold, ahead = some, distance[some], np.zeros(len(some))
        open_ = doubt_of_means(lessons.school, lessons.class_, lessons.schools, icc)[some]
    else:
        home, ahead = means.home[some], means.ahead[some]
        foretold = means.class_[some] - groups.centre
        open_ = icc + (1 - icc) / means.class_lessons[some]
    shift, variance = _shift(schools, groups, home, (means.steady * distance)[home], ahead)
    variance += (_SEEN_DOUBT * apart[:, None]) ** 2 * spread.total
    mixture = Mixture(
        weight=np.array([one.weight for one in groups.bias]),
        mean=groups.true_centre + (foretold[:, None] + shift) / groups.compression,
        sd=np.sqrt(variance / groups.compression**2 + groups.lesson_variance * open_[:, None]),
    )
    return mixture, open_


def _shift(
    schools: tuple[str, ...], groups: Groups, home: Ints, above: Floats, ahead: Floats
) -> tuple[Floats, Floats]:
    """Mean and variance [m, g] of what is to add to foretold levels, on the scale of ratings.

    home, above, ahead [m]: the group's school, how far that lies from the others, and a class from it. What
    ratings of the very school say takes the place of what they say of schools at large.
    """
    mean = np.array([one.mean for one in groups.bias])
    covariance = np.array([one.covariance for one in groups.bias])
    own = np.array([one.sd for one in groups.bias]) ** 2
    x = np.column_stack([np.ones(len(home)), above, ahead])
    shift = x @ mean.T
    variance = np.einsum("mi,gij,mj->mg", x, covariance, x) + own
    known = {school.id: school for school in groups.schools}
    for row, school in enumerate(home.tolist()):
        if rated := known.get(schools[school]):
            shift[row] = rated.shift + ahead[row] * mean[:, 2]
            variance[row] = rated.sd**2 + ahead[row] ** 2 * covariance[:, 2, 2]
    return shift, variance


def _status(
    windows: Windows, fit: DimensionFit, by: By, code: Ints, n: Ints, apart: Floats
) -> tuple[str, ...]:
    """Why each group [G] is not comparable, the gravest reason first."""
    if fit.groups is None:
        return (NOT_CALIBRATED,) * len(n)
    few_classes = np.zeros(len(n), np.bool_)
    if by == "school" and windows.class_ is not None:
        _, first = np.unique(windows.class_[windows.shown], return_index=True)
        few_classes = np.bincount(code[windows.shown][first], minlength=len(n)) < LEAST_CLASSES
    reasons = (
        (n == 0, NO_EVIDENCE),
        (n < LEAST_LESSONS[by], FEW_LESSONS),
        (few_classes, FEW_CLASSES),
        (apart > SEEN_DIFFERENTLY, VISIBILITY),
    )
    return tuple(
        next((reason for holds, reason in reasons if holds[group]), COMPARABLE) for group in range(len(n))
    )


def seen_differently(windows: Windows, fit: DimensionFit, code: Ints, groups: int) -> Floats:
    """Which part of the dimension's weights [G] the group's lessons show more, or less, often than the rated
    ones did: 0 is none of them, 1 is all of them always instead of never.
    """
    weight = np.abs(fit.weights)
    if fit.groups is None or not weight.any():
        return np.zeros(groups)
    code, visible = code[windows.shown], windows.visible[windows.shown]
    n = np.maximum(np.bincount(code, minlength=groups), 1)
    share = np.stack([np.bincount(code, column, groups) / n for column in visible.T], axis=1)
    found: Floats = np.abs(share - np.array(fit.groups.visible)) @ weight / weight.sum()
    return found
