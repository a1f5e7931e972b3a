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
from models.fitting.design import Design, coded, standardised
from models.fitting.hyper import Chosen
from models.fitting.school_search import Search, Shares
from models.grouping.clusters import USUAL_ICC, variance_of
from models.grouping.foretold import Lessons, Means, means_of, spread_of
from models.scoring.fit_file import Agreement
from models.scoring.fit_groups import Groups, KnownSchool
from models.scoring.reference import Reference
from models.scoring.shrink import kept
from models.tables import FeatureTable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

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
class Windows:
    """Every window [N] of the features, rated or not, in the order of their ids.

    z: [N, 23] standardised, not shrunk; share: [N] evidence by the median; school, class_: [N] codes, class_
    None where the features name none; visible: [N, 24].
    """

    z: Floats
    share: Floats
    school: Ints
    schools: tuple[str, ...]
    class_: Ints | None
    visible: Bools


def windows_of(features: FeatureTable, order: Ints, reference: Reference) -> Windows:
    """The windows in the order given."""
    x = features.x[order]
    z, share = standardised(x, reference)
    rows = order.tolist()
    names = [features.school[row] for row in rows]
    school, schools = coded(names)
    class_ = None
    if features.class_ is not None and any(features.class_):
        pairs = [f"{name}\n{features.class_[row]}" for name, row in zip(names, rows, strict=True)]
        class_, _ = coded(pairs)
    return Windows(z, share, school, schools, class_, ~np.isnan(x))


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
    shown = windows.share > 0
    usable = shown[row]
    if int(usable.sum()) < LEAST_RATINGS:
        return None
    unit = max(float(design.level[usable].std()), 0.1 * (design.stages - 1))
    lessons = _lessons(windows, shown, chosen, final)
    spread = spread_of(lessons, _FORETOLD_SPREAD * unit)
    means = means_of(lessons, spread)
    error = (design.level - foretold_afresh(design, taught, chosen))[usable]
    lesson = (np.cumsum(shown) - 1)[row[usable]]
    home = lessons.school[lesson]
    schools = np.unique(home)
    centre = float(means.school[schools].mean())
    above = np.nan_to_num(means.steady * (means.school - centre))
    kappa = _kappa(agreed)
    shares = Shares(_coach_share(kappa, unit, error), _icc(lessons))
    coach = np.eye(len(design.coaches))[design.coach[usable]]
    search = Search(
        columns=np.column_stack(
            [np.ones(len(error)), above[home], _ahead(lessons, means, lesson), coach, error]
        ),
        lesson=lesson,
        class_=lesson if lessons.class_ is None else lessons.class_[lesson],
        school=home,
        shares=shares,
        spread=spread,
        unit=unit,
    )
    found = search.run(above[schools])
    compression = math.sqrt(kappa)
    known = zip(schools.tolist(), found.shift.tolist(), found.shift_sd.tolist(), strict=True)
    return Groups(
        centre=centre,
        true_centre=_true_centre(centre, compression, design.stages),
        compression=compression,
        twice=agreed.windows if agreed else 0,
        lesson_variance=(1 - shares.coach) * found.error / compression**2,
        icc=shares.icc,
        school_variance=spread.schools,
        class_variance=spread.classes,
        within_variance=spread.lessons,
        visible=tuple(windows.visible[row[usable]].mean(axis=0).tolist()),
        bias=found.bias,
        schools=tuple(
            KnownSchool(windows.schools[school], int((home == school).sum()), shift, sd)
            for school, shift, sd in known
        ),
    )


def group_notes(groups: Groups | None) -> list[str]:
    """What levels of groups rest on beyond the ratings, a sentence each."""
    return [ASSUMED] if groups is not None and groups.twice < ENOUGH_TWICE else []


def _lessons(windows: Windows, shown: Bools, chosen: Chosen, final: Fitted) -> Lessons:
    left = kept(windows.share[shown], chosen.hyper.noise_share)
    probs = final.scale.probabilities(windows.z[shown] * left[:, None])
    class_ = None if windows.class_ is None else windows.class_[shown]
    classes = 0 if windows.class_ is None else int(windows.class_.max()) + 1
    level = probs @ np.arange(probs.shape[1])
    return Lessons(level, windows.school[shown], class_, len(windows.schools), classes)


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


def _coach_share(kappa: float, unit: float, error: Floats) -> float:
    """Which part of the errors' variance is the coach's own at that one visit."""
    share = (1 - kappa) * unit**2 / max(float(error.var()), 1e-9)
    return min(max(share, 0.15), 0.85)


def _true_centre(centre: float, compression: float, stages: int) -> float:
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
