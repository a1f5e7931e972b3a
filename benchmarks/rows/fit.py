"""Fits from walkthroughs: 200 and 5,000 ratings a dimension, beside statsmodels' ordered model."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.alone import alone
from benchmarks.harness import Row, Size, interleaved, median, met, prose, times

if TYPE_CHECKING:
    from models.fitting.ratings import RatingTable
    from models.integration.model import IntegrationModel
    from models.simulator.study import Study
    from models.tables import FeatureTable

BUDGETS: Final = {200: 5.0, 5000: 60.0}
LESSONS: Final = {200: 3000, 5000: 10_000}
ROUNDS: Final = {"quick": 1, "full": 3}
DAY: Final = "2026-02-03"

Floats = NDArray[np.float64]


def measure(size: Size) -> Row:
    """The row."""
    few, many = (
        alone(__name__, "run", ratings=ratings, lessons=LESSONS[ratings], rounds=ROUNDS[size])
        for ratings in BUDGETS
    )
    ours, theirs = (
        {found["ratings"]: median(found["seconds"][name]) for found in (few, many)}
        for name in ("ours", "statsmodels")
    )
    return Row(
        name="fit",
        budget="a fit at 200 ratings a dimension: 5 s, at 5,000: 60 s",
        measured=f"{ours[200]:.2f} s, {ours[5000]:.1f} s",
        peer=f"statsmodels {theirs[200]:.2f} s, {theirs[5000]:.1f} s",
        ratio=", ".join(f"{times(ours[n] / theirs[n])} its time" for n in BUDGETS),
        met=met(all(ours[n] <= most for n, most in BUDGETS.items())),
        notes=prose(
            f"""
            Wall seconds on one core, TIM's five dimensions, so {few["rows"]:,} and {many["rows"]:,} rows of
            ratings, of a simulated universe with {few["schools"]} schools. statsmodels: one `OrderedModel` a
            dimension by BFGS on the same 23 standardised and shrunk features and nothing else. It leaves out
            the rubric and every other prior, schools' and coaches' own levels, the choice of hyperparameters
            (it is told that half the variance is noise at median evidence), fits out of fold, sets, and all
            that a fit says of raters and of groups. Share of all lessons whose true level is the likeliest
            one, ours and its: {_said(few)} and {_said(many)}.
            """
        ),
        numbers={"seconds": ours, "statsmodels": theirs, "few": few, "many": many},
    )


def run(ratings: int, lessons: int, rounds: int) -> dict[str, Any]:
    """Wall seconds of both by round; called in a process of its own."""
    from models.features.set1 import EVIDENCE
    from models.fitting.fit import Options, fit_model
    from models.integration.load import load_model
    from models.scoring.fit_file import Fit
    from models.scoring.reference import reference_of
    from models.scoring.scorer import Scorer
    from models.scoring.shrink import shrink
    from models.simulator.study import Plan, conduct
    from models.simulator.universe import Universe

    tim = load_model("tim")
    draws = np.random.default_rng(1).spawn(2)
    universe = Universe.draw(draws[0], model=tim, dimensions=(), options=None)
    study = conduct(draws[1], universe, Plan(lessons=lessons, ratings=ratings, new_ratings=0))
    features, rated = _tables(tim, study)
    reference = reference_of(features.x, simulated=True, made={})
    evidence = np.nan_to_num(features.x[:, EVIDENCE], nan=np.inf)
    z = shrink(reference.standardise(features.x), evidence, reference.median_evidence)
    z = np.delete(z, EVIDENCE, axis=1)
    last: dict[str, Any] = {}

    def ours() -> Fit:
        return fit_model(tim, features, rated, Options(seed=1, simulated=True), day=DAY)

    def statsmodels() -> list[Floats]:
        return [_ordered(z, own.row, own.level) for own in rated.dimensions.values()]

    def seconds(name: str, work: Callable[[], Any]) -> float:
        began = time.perf_counter()
        last[name] = work()
        return time.perf_counter() - began

    contenders = {"ours": ours, "statsmodels": statsmodels}
    taken = interleaved(
        rounds,
        {name: lambda name=name, work=work: seconds(name, work) for name, work in contenders.items()},  # type: ignore[misc]
    )
    level = study.lessons.level
    placed = Scorer.fitted(tim, last["ours"]).score(features.x).probs.argmax(axis=2)
    theirs = np.stack([probs.argmax(axis=1) for probs in last["statsmodels"]], axis=1)
    return {
        "ratings": ratings,
        "rows": sum(len(own.row) for own in rated.dimensions.values()),
        "schools": len(study.held_out),
        "seconds": taken,
        "accuracy": {"ours": float((placed == level).mean()), "statsmodels": float((theirs == level).mean())},
    }


def _tables(model: "IntegrationModel", study: "Study") -> "tuple[FeatureTable, RatingTable]":
    """What F.csv and R.csv of the study would be read as."""
    from models.fitting.ratings import DimensionRatings, RatingTable
    from models.tables import FeatureTable

    lessons, rows = study.lessons, study.ratings
    schools = tuple(f"s{code:02d}" for code in lessons.school.tolist())
    features = FeatureTable(lessons.ids, schools, None, None, lessons.x)
    own = [np.flatnonzero(rows.dimension == d) for d in range(len(model.dimensions))]
    dimensions = {
        dimension.id: DimensionRatings(rows.window[mine], rows.level[mine], rows.coach[mine], 0, 0)
        for dimension, mine in zip(model.dimensions, own, strict=True)
    }
    coaches = tuple(f"c{i:02d}" for i in range(int(rows.coach.max()) + 1))
    return features, RatingTable(coaches, dimensions, 0, "")


def _ordered(z: Floats, row: NDArray[np.int64], level: NDArray[np.int64]) -> Floats:
    """Probabilities [n, K] of all windows, by statsmodels' ordered model of the rated ones."""
    import warnings

    from statsmodels.miscmodels.ordinal_model import OrderedModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few ratings it says that BFGS did not settle
        found = OrderedModel(level, z[row], distr="logit").fit(method="bfgs", disp=False, maxiter=500)
    return np.asarray(found.model.predict(found.params, exog=z))


def _said(found: dict[str, Any]) -> str:
    return " to ".join(f"{found['accuracy'][name]:.2f}" for name in ("ours", "statsmodels"))
