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
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.fitting.crossfit import FOLDS, Fitted, fitted, folds_of, folds_of_schools
from models.fitting.design import Design, coded, standardised
from models.fitting.hyper import Chosen
from models.fitting.nested import Coefficients, Folded, coefficients
from models.grouping.clusters import USUAL_ICC, variance_of
from models.grouping.foretold import Lessons, Spread, means_of, spread_of
from models.scoring.fit_file import Agreement, Groups, KnownSchool, SchoolBias
from models.scoring.reference import Reference
from models.scoring.shrink import kept
from models.tables import FeatureTable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ENOUGH_TWICE: Final = 30  # windows rated by two coaches that outweigh what is believed of their agreement
USUAL_KAPPA: Final = 0.75
LEAST_RATINGS: Final = 30

# What is believed, in units of the standard deviation of the ratings.
_TRUE_SPREAD: Final = 0.28  # of schools' true means: 8% of the variance of levels
_TRUE_SPREAD_SD: Final = 0.3  # of its logarithm
_FORETOLD_SPREAD: Final = 0.25
_WEIGHTS_OWN: Final = 0.04  # a school's own part that comes of weights known roughly only
_OFFSET_SD: Final = 0.25  # of all schools together
_COACH_SDS: Final = np.array([0.02, 0.08, 0.17, 0.25, 0.38])
_COACH_STEPS: Final = np.array([0.08, 0.08, 0.1, 0.12, 0.15])  # what each of them stands for
_COACH_SCALE: Final = 0.25  # of the half-normal
_SLOPE_SD: Final = 0.2  # how loosely the tie holds
# Over a class's lessons noise averages out, so its true mean lies further out than the foretold one.
_CLASS_SLOPE: Final = 0.5
_CLASS_SLOPE_SD: Final = 0.4
_STEPS: Final = np.linspace(-2.4, 2.4, 9)

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


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the ratings' errors are made of, as shares: the coach's own, the rest; classes' part of that."""

    coach: float
    icc: float


def windows_of(features: FeatureTable, order: Ints, reference: Reference) -> Windows:
    """The windows in the order given."""
    x = features.x[order]
    z, share = standardised(x, reference)
    rows = order.tolist()
    names = [features.school[row] for row in rows]
    school, schools = coded(names)
    class_ = None
    if features.class_ is not None:
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
    stages = np.arange(design.stages)
    unit = max(float(design.level[usable].std()), 0.1 * (design.stages - 1))
    moved = windows.z[shown] * kept(windows.share[shown], chosen.hyper.noise_share)[:, None]
    lessons = _lessons(final.scale.probabilities(moved) @ stages, windows, shown)
    spread = spread_of(lessons, _FORETOLD_SPREAD * unit)
    error = (design.level - _foretold_afresh(design, taught, chosen))[usable]
    rated = design.rows(usable)
    place = (np.cumsum(shown) - 1)[row[usable]]
    kappa = _kappa(agreed)
    coach = float(np.clip((1 - kappa) * unit**2 / max(float(error.var()), 1e-9), 0.15, 0.85))
    means = means_of(lessons, spread)
    home = lessons.school[place]
    schools = np.unique(home)
    centre = float(means.school[schools].mean())
    above = np.nan_to_num(means.steady * (means.school - centre))
    columns = np.column_stack(
        [
            np.ones(len(error)),
            above[home],
            np.zeros(len(error)) if lessons.class_ is None else means.ahead[lessons.class_[place]],
            np.eye(len(design.coaches))[rated.coach],
            error,
        ]
    )
    parts = _Parts(coach, _icc(lessons))
    class_ = place if lessons.class_ is None else lessons.class_[place]
    search = _Search(columns, place, class_, home, parts, spread, unit)
    possible, known = search.run(above[schools])
    compression = math.sqrt(kappa)
    middle = (design.stages - 1) / 2
    left = sum(one.weight * one.error for one in possible)
    return Groups(
        centre=centre,
        # Observers draw levels in toward the middle of the scale, or toward the usual ones: half of each.
        true_centre=float(np.clip(middle + (centre - middle) / math.sqrt(compression), 0, 2 * middle)),
        compression=compression,
        twice=agreed.windows if agreed else 0,
        lesson_variance=(1 - coach) * left / compression**2,
        icc=parts.icc,
        school_variance=spread.schools,
        class_variance=spread.classes,
        within_variance=spread.lessons,
        visible=tuple(windows.visible[row[usable]].mean(axis=0).tolist()),
        bias=tuple(one.told for one in possible),
        schools=tuple(
            KnownSchool(windows.schools[school], int((home == school).sum()), shift, sd)
            for school, (shift, sd) in zip(schools.tolist(), known, strict=True)
        ),
    )


def group_notes(groups: Groups | None) -> list[str]:
    """What levels of groups rest on beyond the ratings, a sentence each."""
    return [ASSUMED] if groups is not None and groups.twice < ENOUGH_TWICE else []


def _lessons(level: Floats, windows: Windows, shown: Bools) -> Lessons:
    class_ = None if windows.class_ is None else windows.class_[shown]
    classes = 0 if windows.class_ is None else int(windows.class_.max()) + 1
    return Lessons(level, windows.school[shown], class_, len(windows.schools), classes)


def _icc(lessons: Lessons) -> float:
    if lessons.class_ is None:
        return USUAL_ICC
    return variance_of(lessons.level, lessons.class_, lessons.school).icc_after(USUAL_ICC)


def _kappa(agreed: Agreement | None) -> float:
    windows = agreed.windows if agreed and agreed.kappa is not None else 0
    seen = agreed.kappa if agreed and agreed.kappa is not None else 0.0
    kappa = (ENOUGH_TWICE * USUAL_KAPPA + windows * seen) / (ENOUGH_TWICE + windows)
    return min(max(kappa, 0.3), 1.0)


def _foretold_afresh(design: Design, taught: Bools, chosen: Chosen) -> Floats:
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


@dataclass(frozen=True, slots=True)
class _Possible:
    """One possible spread of true means: what it makes likely; shift and variance [S] of the rated schools;
    error: variance of a rating that school and coach leave open.
    """

    told: SchoolBias
    shift: Floats
    variance: Floats
    error: float

    @property
    def weight(self) -> float:
        return self.told.weight


@dataclass(frozen=True, slots=True)
class _Search:
    """The ratings' errors as columns (1, school above, class ahead, coaches, error), and how they nest."""

    columns: Floats
    place: Ints
    class_: Ints
    home: Ints
    parts: _Parts
    spread: Spread
    unit: float

    def run(self, above: Floats) -> tuple[list[_Possible], list[tuple[float, float]]]:
        """Each possible spread, and the rated schools' shift with its deviation; above: their column [S]."""
        coach, icc = self.parts.coach, self.parts.icc
        folded = (
            Folded.of(self.columns, coach)
            .grouped(self.place)
            .shared((1 - coach) * (1 - icc))
            .grouped(self.class_)
            .shared((1 - coach) * icc)
            .grouped(self.home)
        )
        trials = [self._trial(folded, step, i, above) for step in _STEPS for i in range(len(_COACH_SDS))]
        height = np.array([density for density, _ in trials])
        weight = np.exp(height - height.max())
        weight /= weight.sum()
        every = [
            replace(one, told=_weighed(one.told, w))
            for (_, one), w in zip(trials, weight.tolist(), strict=True)
        ]
        size = len(_COACH_SDS)
        merged = [_merged(every[i : i + size]) for i in range(0, len(every), size)]
        merged = [one for one in merged if one.weight > 0]
        shift = np.sum([one.weight * one.shift for one in merged], axis=0)
        square = np.sum([one.weight * (one.variance + one.shift**2) for one in merged], axis=0)
        sd = np.sqrt(np.maximum(square - shift**2, 1e-12))
        return merged, list(zip(shift.tolist(), sd.tolist(), strict=True))

    def _trial(self, folded: Folded, step: float, which: int, above: Floats) -> tuple[float, _Possible]:
        unit, coaches = self.unit, self.columns.shape[1] - 4
        total = float(self.columns[:, -1].var())
        true = (_TRUE_SPREAD * unit * math.exp(_TRUE_SPREAD_SD * step)) ** 2
        slope, own = tie(true, self.spread, (1 - self.parts.coach) * total)
        own += (_WEIGHTS_OWN * unit) ** 2
        coach = (_COACH_SDS[which] * unit) ** 2
        error = max(0.3 * total, total - own - coach, 1e-6)
        scaled = folded.scaled(error)
        mean = np.concatenate([[0.0, slope - 1, _CLASS_SLOPE], np.zeros(coaches)])
        doubts = [(_OFFSET_SD * unit) ** 2, _SLOPE_SD**2, _CLASS_SLOPE_SD**2]
        found = coefficients(scaled.shared(own), mean, np.concatenate([doubts, np.full(coaches, coach)]))
        density = found.log_density - 0.5 * step**2 - 0.5 * (_COACH_SDS[which] / _COACH_SCALE) ** 2
        shift, variance = _shifts(scaled, found, own, above)
        told = SchoolBias(
            1.0,
            math.sqrt(own),
            tuple(found.mean[:3].tolist()),
            tuple(map(tuple, found.covariance[:3, :3].tolist())),
        )
        return density + math.log(_COACH_STEPS[which]), _Possible(told, shift, variance, error)


def tie(true: float, spread: Spread, error: float) -> tuple[float, float]:
    """The slope of true on foretold means of schools, and the variance around it; true: of true means.

    answer: how much a foretold level rises by one true level, as the foretold ones' variance inside schools
    and the error of what they foretell show. Foretold means of variance F then have the slope
    answer true / F, and no more than 1 / answer, what it is without habits.
    """
    inside = spread.classes + spread.lessons
    answer = max(inside / (inside + error), 0.05) if inside + error > 0 else 1.0
    slope = min(answer * true / spread.schools, 1 / answer) if spread.schools > 0 else 1.0
    return slope, max(true - slope**2 * spread.schools, 0.0)


def _shifts(before: Folded, found: Coefficients, own: float, above: Floats) -> tuple[Floats, Floats]:
    """Mean and variance [S] of the rated schools' shifts: what coefficients say, and their own part.

    before: errors without the schools' own; its units are the schools.
    """
    gain = own / (1 + own * before.weight)
    lines = -gain[:, None] * before.sums[:, :-1]
    lines[:, 0] += 1
    lines[:, 1] += above
    shift = lines @ found.mean + gain * before.sums[:, -1]
    return shift, gain + np.einsum("si,ij,sj->s", lines, found.covariance, lines)


def _weighed(told: SchoolBias, weight: float) -> SchoolBias:
    return SchoolBias(weight, told.sd, told.mean, told.covariance)


def _merged(some: list[_Possible]) -> _Possible:
    """Possibilities that share their spread as one normal with their mean and covariance."""
    weight = np.array([one.weight for one in some])
    total = float(weight.sum())
    share = weight / total if total > 0 else np.full(len(some), 1 / len(some))
    means = np.array([one.told.mean for one in some])
    mean = share @ means
    apart = means - mean
    covariance = np.tensordot(share, np.array([one.told.covariance for one in some]), 1)
    covariance = covariance + (share[:, None] * apart).T @ apart
    shifts = np.array([one.shift for one in some])
    shift = share @ shifts
    variance = share @ (np.array([one.variance for one in some]) + (shifts - shift) ** 2)
    told = SchoolBias(total, some[0].told.sd, tuple(mean.tolist()), tuple(map(tuple, covariance.tolist())))
    return _Possible(told, shift, variance, float(share @ np.array([one.error for one in some])))
