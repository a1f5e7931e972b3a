"""Held-out probabilities: no rating is judged by a fit that saw its window."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.metrics import rank_scores
from models.fitting.crossfit import (
    ENOUGH_SCHOOLS,
    FOLDS,
    fitted,
    folds_of,
    folds_of_schools,
    held_out,
    out_of_fold,
)
from models.fitting.design import marginal
from models.fitting.hyper import choose
from models.fitting.posterior import Posterior
from models.scoring.ordinal import stage_probabilities
from tests.models.fit_lessons import design
from tests.models.test_fit_hyper import RUBRIC

lawful = settings(derandomize=True, max_examples=40, deadline=None)


@lawful
@given(st.integers(0, 10_000), st.integers(50, 300))
def test_a_window_lies_in_one_fold_and_levels_are_spread_evenly(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    window = rng.integers(0, n, n)
    level = rng.integers(0, 5, n)[window]
    fold = folds_of(window, level, FOLDS, seed)
    for one in np.unique(window):
        assert len(np.unique(fold[window == one])) == 1
    windows, first = np.unique(window, return_index=True)
    for k in range(5):
        counts = np.bincount(fold[first][level[first] == k], minlength=FOLDS)
        assert counts.max() - counts.min() <= 1
    assert len(windows) == len(first)


@lawful
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 300))
def test_a_school_lies_in_one_fold_and_no_fold_is_heavier_than_a_school_makes_it(
    seed: int, schools: int, n: int
) -> None:
    school = np.random.default_rng(seed).integers(0, schools, n)
    fold = folds_of_schools(school)
    for one in np.unique(school):
        assert len(np.unique(fold[school == one])) == 1
    load = np.bincount(fold)
    assert load.min() >= 1
    assert load.max() - load.min() <= np.bincount(school).max()


def test_with_schools_enough_no_rating_is_judged_by_a_fit_that_saw_its_school() -> None:
    one = design(3, 120, weights=RUBRIC, rubric=RUBRIC)
    assert len(np.unique(one.school)) >= ENOUGH_SCHOOLS
    fold = out_of_fold(one, choose(one), seed=0).fold
    for school in np.unique(one.school):
        assert len(np.unique(fold[one.school == school])) == 1
    few = replace(one, school=one.school % (ENOUGH_SCHOOLS - 1))
    assert len(np.unique(out_of_fold(few, choose(few), seed=0).fold)) == FOLDS


@lawful
@given(st.integers(0, 1000), st.integers(600, 1500))
def test_at_least_two_hundred_ratings_and_a_quarter_are_held_out_by_whole_windows(seed: int, n: int) -> None:
    one = design(seed, n)
    one = replace(one, window=np.arange(n) // 2)
    out = held_out(one, seed)
    assert max(200, n // 4) <= out.sum() <= max(200, n // 4) + n * 0.03
    assert not set(one.window[out]) & set(one.window[~out])
    assert (held_out(one, seed) == out).all()


def test_out_of_fold_probabilities_do_not_depend_on_the_rating_itself() -> None:
    one = design(1, 120, weights=RUBRIC, rubric=RUBRIC)
    chosen = choose(one)
    before = out_of_fold(one, chosen, seed=0)
    level = one.level.copy()
    same = np.flatnonzero(before.fold == before.fold[0])
    level[same] = 4 - level[same]
    # Folds are dealt by level, so they are handed over; only the held-out levels differ.
    other = replace(one, level=level)
    kept = before.fold != before.fold[0]
    scale = fitted(other.rows(kept), chosen).scale
    again = scale.probabilities(other.shrunk(chosen.hyper.noise_share)[same])
    np.testing.assert_allclose(before.probs[same], again, atol=1e-12)


def test_choosing_hyperparameters_anew_in_every_fold_would_change_scores_by_less_than_a_hundredth() -> None:
    differences = []
    for seed in range(2):
        one = design(seed, 200, weights=RUBRIC, rubric=RUBRIC)
        held = out_of_fold(one, choose(one), seed)
        anew = np.empty_like(held.probs)
        for k in range(FOLDS):
            out = held.fold == k
            chosen = choose(one.rows(~out))
            anew[out] = fitted(one.rows(~out), chosen).scale.probabilities(
                one.shrunk(chosen.hyper.noise_share)[out]
            )
        differences.append((rank_scores(anew, one.level) - rank_scores(held.probs, one.level)).mean())
    assert abs(np.mean(differences)) < 0.01


@pytest.mark.parametrize("variance", [0.2, 0.5, 1.0, 2.0])
def test_the_scale_averages_over_coaches_and_schools_it_has_not_met(variance: float) -> None:
    cuts = np.array([-1.5, 0.2, 1.5, 3.0])
    certain = Posterior(np.ones(1), cuts, np.zeros(0), np.zeros(0), np.zeros((5, 5)), 0.0, converged=True)
    z = np.linspace(-3, 3, 13)[:, None]
    scale = marginal(certain, z, variance)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    met = [stage_probabilities(z[:, 0] + np.sqrt(variance) * node, cuts) for node in nodes.tolist()]
    average = np.tensordot(weights / weights.sum(), np.stack(met), axes=1)
    np.testing.assert_allclose(scale.probabilities(z), average, atol=0.012)


def test_what_the_ratings_leave_open_makes_probabilities_less_sure() -> None:
    few, many = design(4, 60, weights=RUBRIC), design(4, 3000, weights=RUBRIC)
    held = {"weight_sd": 0.35, "rubric_weight": 1.0, "school_sd": 0.5, "coach_sd": 0.5, "noise_share": 0.5}
    scales = [fitted(one, choose(one, held)).scale for one in (few, many)]
    assert scales[0].conditional < scales[1].conditional - 0.02
    assert scales[1].conditional == pytest.approx(1 / np.sqrt(1 + 0.5 * np.pi / 8), abs=0.02)
