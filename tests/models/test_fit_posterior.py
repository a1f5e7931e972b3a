"""The posterior: one mode from anywhere, equal to statsmodels' where priors are flat, safe on any data."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.miscmodels.ordinal_model import OrderedModel

from models.fitting.posterior import Posterior, Prior, Problem, find_mode, fit_posterior
from models.fitting.surface import Surface

Floats = NDArray[np.float64]

lawful = settings(derandomize=True, max_examples=25, deadline=None)


def drawn(seed: int, n: int, p: int, stages: int, schools: int = 0, coaches: int = 0) -> Problem:
    """Ratings from random weights, a fifth of the features missing."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, p))
    z[rng.random((n, p)) < 0.2] = 0.0
    eta = z @ rng.normal(size=p)
    school = rng.integers(0, schools, n) if schools else None
    coach = rng.integers(0, coaches, n) if coaches else None
    if school is not None:
        eta = eta + rng.normal(size=schools)[school]
    cuts = np.linspace(-1.5, 1.5, stages - 1) if stages > 2 else np.zeros(1)
    level = np.searchsorted(cuts, eta + rng.logistic(size=n))
    return Problem(z, level, stages, school, schools, coach, coaches)


def proper(problem: Problem, weight_sd: float = 0.5) -> Prior:
    p = problem.z.shape[1]
    return Prior(
        mean=np.linspace(-0.5, 0.5, p),
        precision=np.full(p, weight_sd**-2),
        cuts=np.arange(problem.stages - 1.0) - 1.0,
        school_sd=0.5 if problem.schools else 0.0,
        coach_sd=0.7 if problem.coaches else 0.0,
    )


def flat(problem: Problem) -> Prior:
    p = problem.z.shape[1]
    cuts = np.arange(problem.stages - 1.0) - problem.stages / 2
    return Prior(np.zeros(p), np.zeros(p), cuts, math.inf, math.inf)


@pytest.mark.parametrize(("seed", "stages"), [(1, 2), (2, 3), (3, 4), (4, 5), (5, 5), (4, 6)])
def test_with_flat_priors_it_is_statsmodels_ordered_logit(seed: int, stages: int) -> None:
    problem = drawn(seed, n=100 + 50 * seed, p=seed, stages=stages)
    found = fit_posterior(problem, flat(problem))
    model = OrderedModel(problem.level, problem.z, distr="logit")
    theirs = model.fit(method="bfgs", disp=0, maxiter=500, gtol=1e-7, warn_convergence=False)
    p, cuts = problem.z.shape[1], stages - 1
    # statsmodels keeps the first threshold and logarithms of the steps; turn its covariance into thresholds'.
    turn = np.eye(p + cuts)
    turn[p:, p] = 1.0
    for j in range(1, cuts):
        turn[p + j :, p + j] = np.exp(theirs.params[p + j])
    np.testing.assert_allclose(found.weights, theirs.params[:p], atol=5e-5)
    np.testing.assert_allclose(found.cuts, model.transform_threshold_params(theirs.params)[1:-1], atol=5e-5)
    np.testing.assert_allclose(
        np.sqrt(np.diag(found.covariance)), np.sqrt(np.diag(turn @ theirs.cov_params() @ turn.T)), atol=1e-4
    )


def test_gradient_and_curvature_are_those_of_the_height() -> None:
    problem = drawn(7, n=40, p=3, stages=4, schools=4, coaches=3)
    surface = Surface(problem, proper(problem))
    point = np.concatenate([[0.3, -0.2, 0.5], [-0.9, 0.1, 1.4], np.linspace(-1, 1, 7)])
    slope, curvature = surface.slopes(point)
    step = 1e-5 * np.eye(len(point))
    rise = [(surface.height(point + h) - surface.height(point - h)) / 2e-5 for h in step]
    bend = [(surface.slopes(point - h)[0] - surface.slopes(point + h)[0]) / 2e-5 for h in step]
    np.testing.assert_allclose(slope, rise, atol=1e-6)
    np.testing.assert_allclose(curvature, bend, atol=1e-5)


@lawful
@given(st.integers(0, 10_000), st.integers(2, 6), st.floats(0.1, 3))
def test_there_is_one_mode_and_any_start_reaches_it(seed: int, stages: int, spread: float) -> None:
    problem = drawn(seed, n=30, p=4, stages=stages, schools=5, coaches=3)
    prior = proper(problem)
    rng = np.random.default_rng(seed)
    start = np.concatenate(
        [10 * rng.normal(size=4), np.cumsum(rng.uniform(0.01, spread, stages - 1)), 10 * rng.normal(size=8)]
    )
    near, far = find_mode(problem, prior), find_mode(problem, prior, start)
    assert near.converged
    assert far.converged
    np.testing.assert_allclose(near.point, far.point, atol=1e-5)


@lawful
@given(st.integers(0, 10_000))
def test_the_order_of_ratings_changes_nothing(seed: int) -> None:
    problem = drawn(seed, n=50, p=3, stages=4, schools=4, coaches=3)
    order = np.random.default_rng(seed).permutation(50)
    assert problem.school is not None
    assert problem.coach is not None
    mixed = replace(
        problem,
        z=problem.z[order],
        level=problem.level[order],
        school=problem.school[order],
        coach=problem.coach[order],
    )
    one, other = (fit_posterior(each, proper(problem)) for each in (problem, mixed))
    np.testing.assert_allclose(one.point, other.point, atol=1e-9)
    assert one.log_evidence == pytest.approx(other.log_evidence, abs=1e-8)


def test_the_evidence_is_the_integral_over_weight_and_cutpoint() -> None:
    problem = drawn(10, n=40, p=1, stages=2)
    prior = proper(problem)
    surface = Surface(problem, prior)
    found = fit_posterior(problem, prior)
    middle, sd = found.point, np.sqrt(np.diag(found.covariance))
    grid = np.linspace(-6, 6, 61)
    heights = np.array([[surface.height(middle + sd * np.array([a, b])) for b in grid] for a in grid])
    cell = sd.prod() * (grid[1] - grid[0]) ** 2
    integral = surface.log_constant + heights.max() + math.log(np.exp(heights - heights.max()).sum() * cell)
    assert found.log_evidence == pytest.approx(integral, abs=0.02)


def test_the_prior_of_the_gaps_between_cutpoints_is_a_density() -> None:
    nothing = Problem(np.zeros((0, 1)), np.zeros(0, np.int64), 3)
    prior = Prior(np.zeros(1), np.ones(1), np.array([-0.5, 1.5]))
    surface = Surface(nothing, prior)
    gaps = np.linspace(1e-3, 20, 4_001)
    heights = [surface.height(np.array([0.0, 0.5 - gap / 2, 0.5 + gap / 2])) for gap in gaps.tolist()]
    weight_and_location = -math.log(2 * math.pi)
    total = np.exp(np.array(heights) + surface.log_constant - weight_and_location).sum() * (gaps[1] - gaps[0])
    assert total == pytest.approx(1.0, abs=1e-4)


def without_fault(problem: Problem, prior: Prior) -> Posterior:
    found = fit_posterior(problem, prior)
    assert np.isfinite(found.point).all()
    assert np.isfinite(found.covariance).all()
    assert math.isfinite(found.log_evidence)
    assert (np.diff(found.cuts) > 0).all()
    assert (np.diag(found.covariance) >= 0).all()
    return found


HOSTILE = {
    "separable": Problem(np.linspace(-1, 1, 60)[:, None], np.repeat(np.arange(3), 20), 3),
    "one level": Problem(np.random.default_rng(0).normal(size=(50, 3)), np.full(50, 2), 5),
    "twice the same column": Problem(np.ones((50, 2)) * np.arange(50)[:, None] / 50, np.arange(50) % 3, 3),
    "columns of zeros": Problem(np.zeros((50, 4)), np.arange(50) % 4, 4),
    "huge features": Problem(1e8 * np.random.default_rng(1).normal(size=(50, 2)), np.arange(50) % 3, 3),
    "one rating": Problem(np.ones((1, 3)), np.array([1]), 4),
    "no rating": Problem(np.zeros((0, 3)), np.zeros(0, np.int64), 4),
    "levels never seen": Problem(np.random.default_rng(2).normal(size=(50, 2)), np.arange(50) % 2 * 3, 6),
    "schools never seen": replace(
        Problem(np.ones((9, 1)), np.arange(9) % 3, 3), school=np.zeros(9, np.int64), schools=7
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_the_ratings_are_the_mode_is_found(name: str) -> None:
    assert without_fault(HOSTILE[name], proper(HOSTILE[name])).converged


@pytest.mark.parametrize("name", HOSTILE)
def test_even_with_flat_priors_nothing_breaks(name: str) -> None:
    without_fault(HOSTILE[name], flat(HOSTILE[name]))


def test_what_no_rating_speaks_of_stays_as_believed() -> None:
    problem = HOSTILE["columns of zeros"]
    found = fit_posterior(problem, proper(problem))
    np.testing.assert_allclose(found.weights, proper(problem).mean, atol=1e-9)
    np.testing.assert_allclose(np.diag(found.covariance)[:4], 0.25, rtol=1e-6)
    nothing = fit_posterior(HOSTILE["no rating"], proper(HOSTILE["no rating"]))
    np.testing.assert_allclose(nothing.cuts, [-1, 0, 1], atol=1e-9)


def test_a_school_that_was_rated_less_is_drawn_more_toward_the_others() -> None:
    rng = np.random.default_rng(3)
    school = np.repeat([0, 1], [100, 4])
    problem = Problem(np.zeros((104, 1)), rng.integers(2, 4, 104), 4, school, 2)
    found = fit_posterior(replace(problem, level=np.full(104, 3)), proper(problem))
    assert 0 < found.school[1] < found.school[0]
