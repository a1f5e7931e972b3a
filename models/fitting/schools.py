"""Second stage of a fit: how far a school's true mean level lies from what its features foretell.

Apps are habits of a school: one whose lessons look a level higher may be higher by half of that. Walkthroughs
tell how much, when each is set against the level foretold by a fit that never saw its school. The difference
is regressed on how far the school's foretold mean lies from the others' (Mundlak 1978); what is left is the
school's own, the coach's, the class's, the lesson's.

Two hundred ratings in twenty schools hardly tell how large a school's own part is. What does is a tie: were
there no habits, foretold means would spread by `answer` times the spread of true ones, `answer` being what
features tell of a lesson inside a school; that they spread otherwise is the work of habits. So whatever the
spread of true means is (the one thing believed, and the ratings have their say), it gives both the slope of
truth on foretold means and the spread around it.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.fitting.crossfit import FOLDS, Fitted, fitted, folds_of, folds_of_schools
from models.fitting.design import WEIGHTED, Design
from models.fitting.hyper import Chosen
from models.fitting.school_search import Found, Search, Shares
from models.grouping.clusters import USUAL_ICC, variance_of
from models.grouping.foretold import Lessons, Means, Spread, means_of, spread_of
from models.grouping.windows import Windows
from models.scoring.fit_file import Agreement
from models.scoring.fit_groups import Groups, KnownSchool
from models.scoring.shrink import kept

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# What is believed before any rating: docs/decisions/0014-levels-of-schools.md says why.
ENOUGH_TWICE: Final = 30  # windows rated by two coaches, from which on their agreement is more than a guess
USUAL_KAPPA: Final = 0.75
_KAPPA_WORTH: Final = 100  # windows rated twice that the usual kappa is worth
LEAST_RATINGS: Final = 30

_FORETOLD_SPREAD: Final = 0.25  # of schools' foretold means, in deviations of the ratings: a belief

ASSUMED: Final = (
    f"Fewer than {ENOUGH_TWICE} windows were rated twice: levels of groups lean on a usual kappa, "
    f"{USUAL_KAPPA}."
)


@dataclass(frozen=True, slots=True)
class _Rated:
    """Usable ratings [n] beside every lesson: what a fit without their school errs by, their lesson, their
    coach and school. schools: those that are rated; centre: their mean foretold level; above [S]: how far
    each school there is lies from it, as far as that would stand.
    """

    error: Floats
    lesson: Ints
    coach: Ints
    home: Ints
    schools: Ints
    centre: float
    above: Floats

    @classmethod
    def of(cls, error: Floats, lesson: Ints, coach: Ints, home: Ints, means: Means) -> "_Rated":
        schools = np.unique(home)
        centre = float(means.school[schools].mean())
        above = np.nan_to_num(means.steady * (means.school - centre))
        return cls(error, lesson, coach, home, schools, centre, above)


def group_doubt(
    design: Design,
    row: Ints,
    windows: Windows,
    taught: Bools,
    chosen: Chosen,
    final: Fitted,
    agreed: Agreement | None,
) -> Groups | None:
    """What levels of schools and classes need beyond a lesson's scale; None where too few ratings help.

    row [n]: each rating's window; taught [n]: whether `final` was fitted to it.
    """
    shown = windows.shown
    usable = shown[row]
    if int(usable.sum()) < LEAST_RATINGS:
        return None
    unit = max(float(design.level[usable].std()), 0.1 * (design.stages - 1))
    lessons = _lessons(windows, shown, chosen, final)
    spread = spread_of(lessons, _FORETOLD_SPREAD * unit)
    means = means_of(lessons, spread)
    error = (design.level - foretold_afresh(design, taught, chosen))[usable]
    lesson = (np.cumsum(shown) - 1)[row[usable]]
    rated = _Rated.of(error, lesson, design.coach[usable], lessons.school[lesson], means)
    kappa = _kappa(agreed)
    shares = Shares(coach_share(kappa, unit, error), _icc(lessons))
    found = _search(rated, lessons, means, shares, spread, unit).run(rated.above[rated.schools])
    compression = math.sqrt(kappa)
    return Groups(
        centre=rated.centre,
        true_centre=true_centre(rated.centre, compression, design.stages),
        compression=compression,
        twice=agreed.windows if agreed else 0,
        lesson_variance=(1 - shares.coach) * found.error / compression**2,
        icc=shares.icc,
        school_variance=spread.schools,
        class_variance=spread.classes,
        within_variance=spread.lessons,
        visible=tuple(windows.visible[row[usable]].mean(axis=0).tolist()),
        bias=found.bias,
        schools=_known(rated, found, windows.schools),
    )


def _search(
    rated: _Rated, lessons: Lessons, means: Means, shares: Shares, spread: Spread, unit: float
) -> Search:
    _, coach = np.unique(rated.coach, return_inverse=True)
    columns = (
        np.ones(len(rated.error)),
        rated.above[rated.home],
        _ahead(lessons, means, rated.lesson),
        np.eye(int(coach.max()) + 1)[coach],
        rated.error,
    )
    return Search(
        columns=np.column_stack(columns),
        lesson=rated.lesson,
        class_=rated.lesson if lessons.class_ is None else lessons.class_[rated.lesson],
        school=rated.home,
        shares=shares,
        spread=spread,
        unit=unit,
    )


def _known(rated: _Rated, found: Found, names: tuple[str, ...]) -> tuple[KnownSchool, ...]:
    ratings = np.bincount(rated.home, minlength=len(names))
    codes = rated.schools.tolist()
    return tuple(
        KnownSchool(names[code], int(ratings[code]), shift, sd)
        for code, shift, sd in zip(codes, found.shift.tolist(), found.shift_sd.tolist(), strict=True)
    )


def group_notes(groups: Groups | None) -> list[str]:
    """What levels of groups rest on beyond the ratings, a sentence each."""
    return [ASSUMED] if groups is not None and groups.twice < ENOUGH_TWICE else []


def _lessons(windows: Windows, shown: Bools, chosen: Chosen, final: Fitted) -> Lessons:
    left = kept(windows.share[shown], chosen.hyper.noise_share)
    probs = final.scale.probabilities(windows.z[shown][:, WEIGHTED] * left[:, None])
    class_ = None if windows.class_ is None else windows.class_[shown]
    level = probs @ np.arange(probs.shape[1])
    return Lessons(level, windows.school[shown], class_, len(windows.schools), len(windows.classes))


def _ahead(lessons: Lessons, means: Means, lesson: Ints) -> Floats:
    """How far the class of each rated lesson [n] lies above its school; 0 where none is named."""
    if lessons.class_ is None:
        return np.zeros(len(lesson))
    return means.ahead[lessons.class_[lesson]]


def _icc(lessons: Lessons) -> float:
    if lessons.class_ is None:
        return USUAL_ICC
    return variance_of(lessons.level, lessons.class_, lessons.school).icc_after(USUAL_ICC)


def _kappa(agreed: Agreement | None) -> float:
    """Quadratic weighted kappa of two coaches, drawn toward the usual one: about a rating's reliability."""
    windows = agreed.windows if agreed and agreed.kappa is not None else 0
    seen = agreed.kappa if agreed and agreed.kappa is not None else 0.0
    kappa = (_KAPPA_WORTH * USUAL_KAPPA + windows * seen) / (_KAPPA_WORTH + windows)
    return min(max(kappa, 0.3), 1.0)


def coach_share(kappa: float, unit: float, error: Floats) -> float:
    """Which part of the errors' variance is the coach's own at that one visit."""
    share = (1 - kappa) * unit**2 / max(float(error.var()), 1e-9)
    return min(max(share, 0.15), 0.85)


def true_centre(centre: float, compression: float, stages: int) -> float:
    """The true level that goes with the rated schools' mean rating.

    Observers draw levels in toward the middle of the scale, or only toward the usual ones: half of each.
    """
    middle = (stages - 1) / 2
    return min(max(middle + (centre - middle) / math.sqrt(compression), 0.0), 2 * middle)


def foretold_afresh(design: Design, taught: Bools, chosen: Chosen) -> Floats:
    """Each rating's level [n] as foretold by a fit without its school; without its window in a lone school.

    Weights learn habits of the schools they are fitted to: folds by window would hide half of the bias.
    """
    lone = len(np.unique(design.school)) == 1
    fold = folds_of(design.window, design.level, FOLDS, 0) if lone else folds_of_schools(design.school)
    found = np.empty(len(design))
    moved = design.shrunk(chosen.hyper.noise_share)
    for k in np.unique(fold).tolist():
        out = fold == k
        scale = fitted(design.rows(taught & ~out), chosen).scale
        found[out] = scale.probabilities(moved[out]) @ np.arange(design.stages)
    return found
