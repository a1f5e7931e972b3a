"""Shares of lessons at each stage: the lessons' own, moved to the corrected mean and no further."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from models.grouping.levels import levels_of
from models.grouping.mixture import Mixture
from models.grouping.shares import Shape, shape_of, shares_of, tilted
from models.simulator.options import FAMILIES, Family
from tests.models.fit_lessons import TIM
from tests.models.test_grouping_levels import study, windows

STAGES = np.arange(5)


def certain(mean: float, sd: float = 1e-9) -> Mixture:
    return Mixture(np.ones(1), np.array([[mean]]), np.array([[sd]]))


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 4.0))
def test_the_moved_shares_have_the_mean_and_change_all_odds_by_one_factor(seed: int, mean: float) -> None:
    share = np.random.default_rng(seed).dirichlet(np.ones(5))
    found = tilted(share, np.array(mean))
    assert found.sum() == pytest.approx(1.0)
    assert found @ STAGES == pytest.approx(mean, abs=1e-6)
    if 0.1 < mean < 3.9:
        factors = np.diff(np.log(found / share))
        np.testing.assert_allclose(factors, factors[0], rtol=1e-6, atol=1e-9)


def test_shares_that_have_the_mean_already_stay_as_they_are() -> None:
    share = np.array([0.1, 0.3, 0.3, 0.2, 0.1])
    np.testing.assert_allclose(tilted(share, share @ STAGES), share, atol=1e-12)


def test_no_distribution_with_that_mean_is_nearer() -> None:
    share = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    nearest = minimize(
        lambda p: float(p @ np.log(p / share)),
        np.full(5, 0.2),
        method="SLSQP",
        bounds=[(1e-9, 1)] * 5,
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1},
            {"type": "eq", "fun": lambda p: p @ STAGES - 1.7},
        ],
        options={"ftol": 1e-13},
    )
    np.testing.assert_allclose(tilted(share, np.array(1.7)), nearest.x, atol=1e-5)


def test_a_stage_that_no_lesson_foretells_is_reached_only_where_the_mean_forces_it() -> None:
    lowest = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(tilted(lowest, np.array(4.0)), [0, 0, 0, 0, 1], atol=1e-9)
    assert tilted(np.array([0.5, 0.5, 0.0, 0.0, 0.0]), np.array(0.7))[2:].max() < 1e-9


def test_the_doubt_of_the_mean_becomes_the_doubt_of_the_shares() -> None:
    shape = Shape(np.array([[0.2, 0.3, 0.3, 0.15, 0.05]]), np.zeros((1, 5)))
    found = shares_of(shape, certain(2.0, 0.4), np.zeros(1), 0.9)
    ends = tilted(shape.share, np.array([2 - 1.645 * 0.4])), tilted(shape.share, np.array([2 + 1.645 * 0.4]))
    assert found.mean[0] == pytest.approx(2.0)
    assert found.low[0, 0] == pytest.approx(ends[1][0, 0], abs=0.02)
    assert found.high[0, 0] == pytest.approx(ends[0][0, 0], abs=0.03)
    sure = shares_of(shape, certain(2.0), np.zeros(1), 0.9)
    np.testing.assert_allclose(sure.low, sure.high, atol=1e-6)
    np.testing.assert_allclose(sure.share, tilted(shape.share, np.array([2.0])), atol=1e-6)


def test_what_few_lessons_leave_open_is_that_of_lessons_drawn_again_and_again() -> None:
    probs = np.array([[0.1, 0.4, 0.3, 0.1, 0.1]])
    shape = shape_of(probs, np.zeros(1, np.int64), 1)
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(20, probs[0], 200_000) / 20
    level = drawn @ STAGES
    for stage in range(5):
        slope = np.cov(drawn[:, stage], level)[0, 1] / level.var()
        left = (drawn[:, stage] - slope * level).var()
        assert shape.rest[0, stage] / 20 == pytest.approx(left, rel=0.03)


def test_groups_are_told_alike_however_many_there_are() -> None:
    rng = np.random.default_rng(2)
    shape = Shape(rng.dirichlet(np.ones(4), 1100), np.full((1100, 4), 0.1))
    mixture = Mixture(np.array([0.3, 0.7]), rng.uniform(0, 3, (1100, 2)), rng.uniform(0.1, 1, (1100, 2)))
    open_ = rng.uniform(0, 0.3, 1100)
    whole = shares_of(shape, mixture, open_, 0.9)
    last = Mixture(mixture.weight, mixture.mean[-3:], mixture.sd[-3:])
    some = shares_of(Shape(shape.share[-3:], shape.rest[-3:]), last, open_[-3:], 0.9)
    np.testing.assert_allclose(whole.share[-3:], some.share)
    np.testing.assert_allclose(whole.high[-3:], some.high)


@pytest.mark.parametrize("family", FAMILIES)
def test_ninety_in_a_hundred_intervals_hold_the_shares_of_schools_that_no_fit_has_seen(
    family: Family,
) -> None:
    held = []
    for seed in range(4):
        made, fit, probs = study(family, 700 + seed)
        known = windows(made)
        school, level = made.lessons.school[known.shown], made.lessons.level[known.shown]
        count = np.bincount(school, minlength=len(made.held_out))[:, None]
        for d, dimension in enumerate(TIM.dimensions):
            found = levels_of(probs[:, d], known, fit.dimensions[dimension.id], "school")
            at = [np.bincount(school[level[:, d] == k], minlength=len(count)) for k in STAGES]
            true = np.stack(at, axis=1) / count
            held.append(((found.share_low <= true) & (true <= found.share_high))[made.held_out].mean())
            np.testing.assert_allclose(found.share @ STAGES, found.mean)
            np.testing.assert_allclose(found.share.sum(axis=1), 1.0)
            assert (found.share_low <= found.share).all()
            assert (found.share <= found.share_high).all()
    # Four universes of five dimensions stand for about 30 independent schools.
    assert 0.82 <= np.mean(held) <= 0.98
