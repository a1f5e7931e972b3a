"""Laws of scoring with a fit, on fits from simulated universes: abstention, thinning, contributions."""

from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURES
from models.fitting.fit import Options, fit_model
from models.fitting.ratings import DimensionRatings, RatingTable
from models.integration.load import load_model
from models.scoring.fit_file import EvidenceGroup, Fit, Sets
from models.scoring.scorer import Scored, Scorer
from models.scoring.sets import EVIDENCE_ONLY, PLACED, THIN, mass_before
from models.simulator.study import Plan, Study, conduct
from models.simulator.universe import Universe
from models.tables import FeatureTable
from tests.models.scored_fits import drawn_fit

Floats = NDArray[np.float64]

TIM = load_model("tim")
RATED = ("active", "collaborative")
SEEDS = range(6)
SIZES = (60, 200, 600)


def study_of(seed: int, ratings: int) -> Study:
    draws = np.random.default_rng(seed).spawn(2)
    universe = Universe.draw(draws[0], model=TIM, dimensions=RATED, options=None)
    return conduct(draws[1], universe, Plan(lessons=2000, ratings=ratings, new_ratings=0))


def rated(study: Study) -> RatingTable:
    rows = study.ratings
    codes = {name: np.flatnonzero(rows.dimension == d) for d, name in enumerate(RATED)}
    none = np.zeros(0, np.int64)
    found = {
        dimension.id: DimensionRatings(rows.window[own], rows.level[own], rows.coach[own], 0, 0)
        for dimension in TIM.dimensions
        for own in [codes.get(dimension.id, none)]
    }
    return RatingTable(tuple(f"c{i:02d}" for i in range(int(rows.coach.max()) + 1)), found, 0, "0" * 64)


@cache
def fitted(seed: int, ratings: int) -> tuple[Fit, Scorer, Floats]:
    """A universe's fit on two dimensions, its scorer, and all its lessons' features."""
    study = study_of(seed, ratings)
    lessons = study.lessons
    schools = tuple(f"s{code:02d}" for code in lessons.school.tolist())
    features = FeatureTable(lessons.ids, schools, None, None, lessons.x)
    options = Options(seed=seed, simulated=True)
    fit = fit_model(TIM, features, rated(study), options, day="2026-02-03")
    return fit, Scorer.fitted(TIM, fit), lessons.x


def sizes(scored: Scored) -> Floats:
    """The mean set's size on each calibrated dimension, over windows that have a set."""
    some = scored.low[:, 0] >= 0
    return np.asarray((scored.high - scored.low + 1)[some][:, : len(RATED)].mean(axis=0))


def with_evidence(x: Floats, evidence: float | Floats) -> Floats:
    changed = x.copy()
    changed[:, EVIDENCE] = evidence
    return changed


every_fit = pytest.mark.parametrize("ratings", SIZES)
every_seed = pytest.mark.parametrize("seed", SEEDS)


def test_the_dimensions_looked_at_are_the_first_ones() -> None:
    assert tuple(dimension.id for dimension in TIM.dimensions)[: len(RATED)] == RATED


@every_fit
def test_an_empty_window_is_never_placed(ratings: int) -> None:
    _, scorer, x = fitted(0, ratings)
    codes = scorer.score(with_evidence(x, 0.0)).codes
    assert (codes[:, : len(RATED)] == THIN).all()
    assert (codes[:, len(RATED) :] == EVIDENCE_ONLY).all()


@every_fit
@every_seed
def test_halving_the_evidence_of_all_windows_never_narrows_the_mean_set(seed: int, ratings: int) -> None:
    _, scorer, x = fitted(seed, ratings)
    halved = [sizes(scorer.score(with_evidence(x, x[:, EVIDENCE] / 2.0**times))) for times in range(11)]
    assert np.diff(halved, axis=0).min() >= -1e-12, np.round(halved, 3)


@every_fit
@every_seed
def test_sets_never_narrow_from_much_evidence_to_none(seed: int, ratings: int) -> None:
    fit, scorer, x = fitted(seed, ratings)
    levels = [4.0 / 2.0**times for times in range(10)] + [0.0]
    found = [sizes(scorer.score(with_evidence(x, level * fit.reference.median_evidence))) for level in levels]
    assert np.diff(found, axis=0).min() >= -1e-12, np.round(found, 3)


@every_fit
def test_contributions_sum_to_the_score(ratings: int) -> None:
    _, scorer, x = fitted(1, ratings)
    scored = scorer.score(x)
    np.testing.assert_allclose(scored.contributions.sum(axis=2), scored.score, rtol=0, atol=1e-6)


@every_fit
def test_removing_a_feature_changes_the_score_by_exactly_its_contribution(ratings: int) -> None:
    _, scorer, x = fitted(2, ratings)
    x = x[:200]
    whole = scorer.score(x)
    contributions = whole.contributions
    for feature in range(len(FEATURES)):
        if feature == EVIDENCE:
            continue  # it speaks of reliability: without it nothing is shrunk
        without = x.copy()
        without[:, feature] = np.nan
        change = whole.score - scorer.score(without).score
        np.testing.assert_allclose(change, contributions[:, :, feature], rtol=0, atol=1e-9)


def test_without_its_evidence_a_window_is_not_shrunk_and_not_placed() -> None:
    fit, scorer, x = fitted(3, 200)
    unknown = scorer.score(with_evidence(x, np.nan))
    full = scorer.score(with_evidence(x, fit.reference.median_evidence))
    np.testing.assert_allclose(unknown.score, full.score, rtol=0, atol=1e-12)
    assert (unknown.codes == EVIDENCE_ONLY).all()


@pytest.mark.parametrize("name", ["acot", "loti"])
def test_a_model_of_a_term_never_places_a_lesson_alone_or_among_many(name: str) -> None:
    model = load_model(name)
    fit = drawn_fit(model, 5)
    x = np.abs(np.random.default_rng(6).normal(size=(500, len(FEATURES))))
    of_term = Scorer.fitted(model, fit)
    of_lesson = Scorer.fitted(replace(model, grain="lesson"), fit)
    x[:, EVIDENCE] = fit.reference.median_evidence
    x[7, EVIDENCE] = np.nan
    told, else_ = of_term.score(x), of_lesson.score(x)
    assert (else_.codes == PLACED).any()
    assert {*told.codes[7]} == {EVIDENCE_ONLY}
    np.testing.assert_array_equal(told.codes, np.where(else_.codes == EVIDENCE_ONLY, EVIDENCE_ONLY, THIN))
    for ends in ("probs", "low", "high"):
        np.testing.assert_array_equal(getattr(told, ends), getattr(else_, ends))
    for i in range(20):
        np.testing.assert_array_equal(of_term.score(x[i : i + 1]).codes, told.codes[i : i + 1])


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_value_scores_as_a_missing_one_alone_and_among_many(value: float) -> None:
    fit = drawn_fit(TIM, 7)
    scorer = Scorer.fitted(TIM, fit)
    x = np.array(fit.reference.mean) + np.random.default_rng(8).normal(
        size=(2 * len(FEATURES), len(FEATURES))
    )
    x[:, EVIDENCE] = fit.reference.median_evidence
    missing = x.copy()
    missing[range(len(FEATURES)), range(len(FEATURES))] = np.nan
    infinite = np.where(np.isnan(missing), value, missing)
    for rows in (slice(None), *(slice(i, i + 1) for i in range(len(FEATURES)))):
        one, other = scorer.score(infinite[rows]), scorer.score(missing[rows])
        for name in ("probs", "score", "low", "high", "codes", "standardised", "kept"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert np.isfinite(one.probs).all()


def test_a_threshold_of_one_means_every_stage_whatever_rounding_adds_up_to() -> None:
    fit = drawn_fit(TIM, 9)
    every = Sets("cross", 0.1, (EvidenceGroup(0.0, 1.0, 60),))
    own = {name: msgspec.structs.replace(one, sets=every) for name, one in fit.dimensions.items()}
    scorer = Scorer.fitted(TIM, msgspec.structs.replace(fit, dimensions=own))
    x = np.array(fit.reference.mean) + 3 * np.random.default_rng(10).normal(size=(5000, len(FEATURES)))
    x[:, EVIDENCE] = fit.reference.median_evidence
    scored = scorer.score(x)
    over = mass_before(scored.probs.reshape(-1, 5)).max(axis=1).reshape(5000, 5) > 1.0
    assert over.any()
    assert (scored.low == 0).all() and (scored.high == 4).all()
    for i in np.flatnonzero(over.any(axis=1))[:20].tolist():
        alone = scorer.score(x[i : i + 1])
        assert (alone.low == 0).all() and (alone.high == 4).all()
