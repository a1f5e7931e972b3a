"""How a fit does on ratings it had not seen, as figures for FIT.json."""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.agreement import confusion, quadratic_weighted_kappa
from models.evaluation.calibration import calibration_error, cumulative_calibration
from models.evaluation.metrics import DEFAULT_RULE, RULES, rank_scores, within
from models.fitting.conformal import Group, fresh_thresholds, nonconformity
from models.fitting.crossfit import Calibration
from models.fitting.design import Design
from models.scoring.fit_file import CalibrationBin, GroupCheck, HeldOut
from models.scoring.sets import limits, stage_sets

Floats = NDArray[np.float64]


def figures(design: Design, calibration: Calibration, groups: tuple[Group, ...]) -> HeldOut:
    """Figures over the held-out ratings. Their sets use thresholds from other folds' ratings than their own,
    so that coverage is not what it was made to be.
    """
    rated = design.rows(calibration.rows)
    probs, level = calibration.probs, rated.level
    scores = nonconformity(probs, level)
    low, high = stage_sets(probs, limits(fresh_thresholds(scores, rated.share, calibration.fold)))
    inside, size = (low <= level) & (level <= high), high - low + 1
    known = ~np.isnan(rated.share)
    known = known if known.any() else ~known
    placed = RULES[DEFAULT_RULE](probs)
    kappa = quadratic_weighted_kappa(level, placed, rated.stages).value
    return HeldOut(
        ratings=len(rated),
        kappa=None if np.isnan(kappa) else kappa,
        accuracy=within(placed, level, 0),
        within_one=within(placed, level, 1),
        ece=calibration_error(probs, level),
        rps=float(rank_scores(probs, level).mean()),
        coverage=float(inside[known].mean()),
        size=float(size[known].mean()),
        confusion=tuple(map(tuple, confusion(level, placed, rated.stages).tolist())),
        calibration=tuple(
            CalibrationBin(cut.stage, float(one.predicted), float(one.seen), one.ratings)
            for cut in cumulative_calibration(probs, level)
            for one in cut.bins
        ),
        groups=tuple(_checks(groups, rated.share, inside, size)),
    )


def _checks(
    groups: tuple[Group, ...], share: Floats, inside: NDArray[np.bool_], size: NDArray[np.int64]
) -> list[GroupCheck]:
    group = np.searchsorted([one.least for one in groups], share, side="right") - 1
    group[np.isnan(share)] = -1
    found = []
    for i, one in enumerate(groups):
        mine = group == i
        if mine.any():
            checked = float(inside[mine].mean()), float(size[mine].mean())
            found.append(GroupCheck(one.least, int(mine.sum()), *checked))
    return found
