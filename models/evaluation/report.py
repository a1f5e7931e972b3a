"""An evaluation as data: how each dimension's placements meet the ratings, and what limits the figures."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from models.evaluation import agreement, calibration, metrics
from models.evaluation.bootstrap import columns_of, headline, intervals
from models.evaluation.notes import dimension_notes
from models.evaluation.permutation import permutation_check
from models.evaluation.rated import LeftOut, Rated
from models.scoring.sets import VERDICTS

DRAWS: Final = 1000


class Figure(msgspec.Struct, frozen=True):
    """A figure and its 90% interval; NaN (null in JSON) where there is none."""

    value: float
    low: float
    high: float


class Rule(msgspec.Struct, frozen=True):
    """How one way of making a single level of a distribution does."""

    rule: str
    kappa: float
    accuracy: float
    within_one: float


class ByEvidence(msgspec.Struct, frozen=True):
    """Sets of windows with `least` to `below` times the median evidence (`below` null: and more)."""

    least: float
    below: float | None
    coverage: metrics.Share
    size: float


class Shuffled(msgspec.Struct, frozen=True):
    """Kappa with each coach's ratings dealt to other windows: mean, middle 90%, p of the real one."""

    permutations: int
    mean: float
    low: float
    high: float
    p: float


class CoachPair(msgspec.Struct, frozen=True):
    """Two coaches on the windows that both rated."""

    coaches: tuple[str, str]
    windows: int
    exact: float
    within_one: float
    kappa: agreement.Agreed


class Coaches(msgspec.Struct, frozen=True):
    """Agreement between coaches on the `windows` that two or more of them rated."""

    windows: int
    exact: float
    within_one: float
    kappa: agreement.Agreed
    alpha: agreement.Agreed
    pairs: tuple[CoachPair, ...]


class DimensionReport(msgspec.Struct, frozen=True):
    """Everything about one dimension. kappa is quadratic weighted; rps_of_shares is what one gets by always
    saying how common each level is among these very ratings; verdicts counts ratings by verdict; confusion is
    [rated level][placed level].
    """

    dimension: str
    stages: tuple[str, ...]
    ratings: int
    windows: int
    coaches: int
    schools: int
    kappa: Figure
    kappa_why: str
    accuracy: Figure
    within_one: Figure
    ece: Figure
    ece_equal_mass: float
    ece_if_perfect: calibration.PerfectError
    rps: Figure
    rps_of_shares: float
    coverage: Figure
    set_size: Figure
    promised: float | None
    by_evidence: tuple[ByEvidence, ...]
    rules: tuple[Rule, ...]
    cumulative: tuple[calibration.Cutpoint, ...]
    abstention: tuple[metrics.Kept, ...]
    shuffled: Shuffled
    between_coaches: Coaches
    verdicts: dict[str, int]
    confusion: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...]


class Report(msgspec.Struct, frozen=True):
    """An evaluation of a model. fitted: when its fit was made, null for the rubric alone; simulated: whether
    the fit, or without one the reference of the features, was made of simulated lessons; rule: how one level
    is made of a distribution wherever kappa, accuracy or within_one stand; notes concern all dimensions.
    """

    model: str
    version: str
    fitted: str | None
    simulated: bool
    seed: int
    rule: str
    left_out: LeftOut
    dimensions: tuple[DimensionReport, ...]
    notes: tuple[str, ...]


def dimension_report(
    rated: Rated, *, seed: int, promised: float | None = None, seen_schools: int = 0, draws: int = DRAWS
) -> DimensionReport:
    """The figures of one dimension. promised: the coverage its sets aim at, None without sets; seen_schools:
    how many of the ratings' schools the fit knows; draws: of bootstrap and shuffling.
    """
    stages = len(rated.stages)
    placed = metrics.RULES[metrics.DEFAULT_RULE](rated.probs)
    level, probs = rated.level, rated.probs
    columns = columns_of(probs, placed, level, rated.low, rated.high)
    values = headline(columns.sum(axis=0), stages)
    schools = len(np.unique(rated.school))
    cluster = rated.school if schools > 1 else rated.window
    ends = intervals(columns, cluster, stages, seed=seed, draws=draws)
    figures = {name: Figure(float(value), *ends[name]) for name, value in values.items()}
    table = agreement.confusion(level, placed, stages)
    coaches = _between_coaches(rated)
    return DimensionReport(
        dimension=rated.dimension,
        stages=rated.stages,
        ratings=len(rated),
        windows=len(np.unique(rated.window)),
        coaches=len(np.unique(rated.coach)),
        schools=schools,
        kappa=figures["kappa"],
        kappa_why=agreement.agreed_kappa(table).why,
        accuracy=figures["accuracy"],
        within_one=figures["within_one"],
        ece=figures["ece"],
        ece_equal_mass=calibration.calibration_error(probs, level, "equal_mass"),
        ece_if_perfect=calibration.error_if_perfect(probs, seed=seed),
        rps=figures["rps"],
        rps_of_shares=_rps_of_shares(rated),
        coverage=figures["coverage"],
        set_size=figures["size"],
        promised=promised,
        by_evidence=_by_evidence(rated),
        rules=tuple(Rule(name, *how) for name, how in metrics.by_rule(probs, level).items()),
        cumulative=calibration.cumulative_calibration(probs, level),
        abstention=metrics.abstention_curve(probs, placed, level),
        shuffled=_shuffled(rated, placed, seed, draws),
        between_coaches=coaches,
        verdicts={name: int((rated.verdict == code).sum()) for code, name in enumerate(VERDICTS)},
        confusion=tuple(map(tuple, table.tolist())),
        notes=dimension_notes(
            rated, twice=coaches.windows, calibrated=promised is not None, seen_schools=seen_schools
        ),
    )


def to_json(report: Report) -> bytes:
    """The report as one JSON object on one line; what is not known is null."""
    return msgspec.json.encode(report)


def _rps_of_shares(rated: Rated) -> float:
    if not len(rated):
        return float("nan")
    stages = len(rated.stages)
    always = np.broadcast_to(metrics.shares_of(rated.level, stages), (len(rated), stages))
    return float(metrics.rank_scores(always, rated.level).mean())


def _by_evidence(rated: Rated) -> tuple[ByEvidence, ...]:
    group = metrics.evidence_groups(rated.evidence, rated.least)
    ends: Sequence[float | None] = (*rated.least[1:].tolist(), None)
    found = metrics.covered_by_group(rated.low, rated.high, rated.level, group, len(ends))
    return tuple(
        ByEvidence(least, below, one.coverage, one.size)
        for least, below, one in zip(rated.least.tolist(), ends, found, strict=True)
    )


def _shuffled(rated: Rated, placed: metrics.Ints, seed: int, draws: int) -> Shuffled:
    check = permutation_check(
        placed, rated.level, rated.coach, len(rated.stages), seed=seed, permutations=draws
    )
    low, high = np.quantile(check.kappas, (0.05, 0.95))
    return Shuffled(draws, float(check.kappas.mean()), float(low), float(high), check.p)


def _between_coaches(rated: Rated) -> Coaches:
    pairs, kappa, alpha = rated.kappa_alpha()
    exact, within_one = agreement.exact_and_within_one(pairs.level_a, pairs.level_b)
    named = (
        CoachPair(
            (rated.coaches[pair.coach_a], rated.coaches[pair.coach_b]),
            pair.windows,
            pair.exact,
            pair.within_one,
            pair.kappa,
        )
        for pair in agreement.by_coach_pair(pairs, len(rated.stages))
    )
    twice = int((np.bincount(rated.window) >= 2).sum()) if len(rated) else 0
    return Coaches(twice, exact, within_one, kappa, alpha, tuple(named))
