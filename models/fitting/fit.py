"""A whole fit: every dimension of a model from features and walkthrough ratings."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.features.set1 import FEATURE_SET, FEATURES
from models.fitting import raters
from models.fitting.conformal import MISCOVERAGE, calibrate, nonconformity
from models.fitting.crossfit import SPLIT_FROM, Calibration, Fitted, fitted, folds_of, held_out, out_of_fold
from models.fitting.design import WEIGHTED, Design, coded, standardised
from models.fitting.heldout import figures
from models.fitting.hyper import BELIEFS, FLAT_BELIEFS, Chosen, Hyper, Spread, choose
from models.fitting.ratings import DimensionRatings, RatingTable
from models.fitting.reference import reference_among, told
from models.fitting.schools import group_doubt, group_notes
from models.grouping.windows import Windows, windows_of
from models.integration.load import Dimension, IntegrationModel
from models.scoring.fit_file import (
    ENOUGH_RATINGS,
    FORMAT,
    DimensionFit,
    EvidenceGroup,
    Fit,
    LeftOut,
    Quadrature,
    Sets,
    sealed,
)
from models.scoring.ordinal import cutpoints
from models.scoring.reference import Reference
from models.scoring.scorer import rubric_weights
from models.tables import FeatureTable

Floats = NDArray[np.float64]
PriorKind = Literal["rubric", "flat"]

ENOUGH_LESSONS: Final = 30  # many coaches in few lessons agree about those few, and about no other
FEW_COACHES: Final = 4
FEW_SCHOOLS: Final = 5

_CHOSEN: Final = MappingProxyType(
    {
        "weight_sd": "How far weights may lie from the prior's",
        "rubric_weight": "How much the rubric counts",
        "school_sd": "How far schools differ",
        "coach_sd": "How far coaches differ",
        "noise_share": "The share of noise at the median of evidence",
    }
)


@dataclass(frozen=True, slots=True)
class Options:
    """How to fit. prior: weights around the rubric's, or (`flat`) around 0; noise_share: None to fit it."""

    prior: PriorKind = "rubric"
    seed: int = 0
    noise_share: float | None = None
    simulated: bool = False

    def choose(self, design: Design) -> Chosen:
        """The hyperparameters for these ratings."""
        held = {} if self.noise_share is None else {"noise_share": self.noise_share}
        return choose(design, held, FLAT_BELIEFS if self.prior == "flat" else BELIEFS)


def fit_model(
    model: IntegrationModel,
    features: FeatureTable,
    ratings: RatingTable,
    options: Options,
    *,
    day: str,
    progress: Callable[[str], None] = lambda dimension: None,
) -> Fit:
    """The fit of every dimension, sealed. The order of rows in either file changes nothing, not even a bit.

    Rows of the features without a rating count for the reference. day: when it was fitted, an RFC 3339
    full-date; progress: told each dimension's id when it is done.
    """
    order = np.array(sorted(range(len(features.ids)), key=features.ids.__getitem__))
    reference = reference_among(features.x[order], options.simulated)
    windows = windows_of(features, order, reference)
    place = np.argsort(order)
    dimensions = {}
    for dimension in model.dimensions:
        own = ratings.dimensions[dimension.id]
        why_not = _too_little(own)
        if why_not:
            dimensions[dimension.id] = _uncalibrated(dimension, own, why_not)
        else:
            design = design_of(dimension, own, ratings.coaches, features, reference, options.prior)
            dimensions[dimension.id] = fit_dimension(dimension, own, design, options, windows, place[own.row])
        progress(dimension.id)
    return sealed(
        Fit(
            format=FORMAT,
            model=model.id,
            version=model.version,
            feature_set=FEATURE_SET,
            prior=options.prior,
            seed=options.seed,
            fitted=day,
            simulated=options.simulated,
            ratings_digest=ratings.digest,
            reference=told(reference, features.x),
            dimensions=dimensions,
        )
    )


def design_of(
    dimension: Dimension,
    ratings: DimensionRatings,
    coaches: tuple[str, ...],
    features: FeatureTable,
    reference: Reference,
    prior: PriorKind,
) -> Design:
    """The dimension's usable ratings as arrays."""
    z, share = standardised(features.x[ratings.row], reference)
    school, schools = coded([features.school[row] for row in ratings.row.tolist()])
    coach, known = coded([coaches[code] for code in ratings.coach.tolist()])
    window, _ = coded([features.ids[row] for row in ratings.row.tolist()])
    rubric = rubric_weights(dimension)[WEIGHTED]
    return Design(
        z=z,
        share=share,
        level=ratings.level,
        school=school,
        coach=coach,
        window=window,
        schools=schools,
        coaches=known,
        rubric=rubric if prior == "rubric" else np.zeros_like(rubric),
        base_rates=dimension.base_rates,
    )


def fit_dimension(
    dimension: Dimension,
    ratings: DimensionRatings,
    design: Design,
    options: Options,
    windows: Windows,
    row: NDArray[np.int64],
) -> DimensionFit:
    """One dimension with ratings enough. From 600 ratings on a quarter is held out for the sets and taught
    to nothing else; with fewer, all teach the weights and each is held out in turn.

    row [n]: which of the windows each rating of the design is of.
    """
    out = np.zeros(len(design), np.bool_)
    if len(design) >= SPLIT_FROM:
        out = held_out(design, options.seed)
        taught = design.rows(~out)
        chosen = options.choose(taught)
        final = fitted(taught, chosen)
        calibration = _split(design, final, chosen.hyper, np.flatnonzero(out), options.seed)
        everything = fitted(design, chosen)
    else:
        chosen = options.choose(design)
        final = everything = fitted(design, chosen)
        calibration = out_of_fold(design, chosen, options.seed)
    scores = nonconformity(calibration.probs, design.level[calibration.rows])
    calibrated = calibrate(scores, design.share[calibration.rows])
    schools, coaches = raters.effects(design, everything.posterior)
    agreed = raters.agreement(design)
    levels = group_doubt(design, row, windows, ~out, chosen, final, agreed)
    conditional = final.scale.conditional
    return DimensionFit(
        stages=tuple(stage.id for stage in dimension.stages),
        ratings=len(design),
        left_out=LeftOut(ratings.briefed, ratings.unknown_window),
        calibrated=True,
        noise_share=chosen.hyper.noise_share,
        weights=tuple(_of_all(final.scale.weights).tolist()),
        cutpoints=tuple(final.scale.cuts.tolist()),
        conditional=conditional,
        covariance=tuple(map(tuple, _covariance(final.posterior.fixed_covariance).tolist())),
        rubric_weight=chosen.hyper.rubric_weight if options.prior == "rubric" else 0.0,
        weight_sd=chosen.hyper.weight_sd,
        school_sd=_quadrature(chosen.school_sd),
        coach_sd=_quadrature(chosen.coach_sd),
        schools=schools,
        coaches=coaches,
        agreement=agreed,
        sets=Sets(
            method=calibration.method,
            miscoverage=MISCOVERAGE,
            groups=tuple(EvidenceGroup(one.least, one.threshold, one.ratings) for one in calibrated.steps),
        ),
        held_out=figures(design, calibration, calibrated.groups),
        notes=(*raters.notes(design, agreed), *_notes(design, chosen), *group_notes(levels)),
        groups=levels,
    )


def _split(design: Design, final: Fitted, hyper: Hyper, rows: NDArray[np.int64], seed: int) -> Calibration:
    own = design.rows(rows)
    probs = final.scale.probabilities(own.shrunk(hyper.noise_share))
    return Calibration("split", rows, probs, folds_of(own.window, own.level, 10, seed))


def _uncalibrated(dimension: Dimension, ratings: DimensionRatings, why: str) -> DimensionFit:
    """Weights as the rubric has them and cutpoints at the base rates: no rating has a say."""
    hyper = Hyper()
    return DimensionFit(
        stages=tuple(stage.id for stage in dimension.stages),
        ratings=len(ratings.row),
        left_out=LeftOut(ratings.briefed, ratings.unknown_window),
        calibrated=False,
        noise_share=hyper.noise_share,
        weights=tuple(rubric_weights(dimension).tolist()),
        cutpoints=tuple(cutpoints(dimension.base_rates).tolist()),
        conditional=1.0,
        covariance=(),
        rubric_weight=hyper.rubric_weight,
        weight_sd=hyper.weight_sd,
        school_sd=Quadrature((hyper.school_sd,), (1.0,)),
        coach_sd=Quadrature((hyper.coach_sd,), (1.0,)),
        schools=(),
        coaches=(),
        agreement=None,
        sets=None,
        held_out=None,
        notes=(f"Not calibrated: {why}.",),
    )


def _too_little(rated: DimensionRatings) -> str:
    """Why these ratings calibrate nothing; empty if they do."""
    ratings, lessons, levels = len(rated.row), len(np.unique(rated.row)), np.unique(rated.level)
    if ratings < ENOUGH_RATINGS:
        return f"{ratings} ratings, {ENOUGH_RATINGS - ratings} short of {ENOUGH_RATINGS}"
    if lessons < ENOUGH_LESSONS:
        return f"{ratings} ratings of only {lessons} lessons; {ENOUGH_LESSONS} lessons are needed"
    if len(levels) < 2:
        return f"all {ratings} ratings are at level {levels[0]}, and nothing tells lessons apart"
    return ""


def _notes(design: Design, chosen: Chosen) -> list[str]:
    said = []
    coaches, schools = len(np.unique(design.coach)), len(np.unique(design.school))
    if 1 < coaches < FEW_COACHES:
        said.append(f"Only {coaches} coaches: how far another would differ is assumed more than seen.")
    if schools < FEW_SCHOOLS:
        some = "One school" if schools == 1 else f"Only {schools} schools"
        said.append(f"{some} rated: how far another would differ is assumed more than seen.")
    missing = sorted(set(range(design.stages)) - set(design.level.tolist()))
    if missing:
        said.append(f"No rating at level {', '.join(map(str, missing))}: its cutpoints rest on the prior.")
    said += [
        f"{_CHOSEN[name]} ended at its limit, {getattr(chosen.hyper, name):g}: treat it as not known."
        for name in chosen.at_limit
    ]
    if not chosen.mode.converged:
        said.append("The search for the best weights did not settle: treat this dimension with care.")
    return said


def _quadrature(spread: Spread) -> Quadrature:
    return Quadrature(tuple(spread.sd.tolist()), tuple(spread.weight.tolist()))


def _of_all(weights: Floats) -> Floats:
    full = np.zeros(len(FEATURES))
    full[WEIGHTED] = weights
    return full


def _covariance(fixed: Floats) -> Floats:
    """Covariance over all 24 weights and the cutpoints; evidence, which has no weight, has no doubt."""
    cuts = len(fixed) - len(WEIGHTED)
    at = np.concatenate([WEIGHTED, len(FEATURES) + np.arange(cuts)])
    full = np.zeros((len(FEATURES) + cuts,) * 2)
    full[np.ix_(at, at)] = fixed
    return full
