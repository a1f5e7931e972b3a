"""Classes as clusters: how alike their lessons are, and what that costs the mean of a group."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.regression.mixed_linear_model import MixedLM

from models.grouping.clusters import USUAL_CLASS, USUAL_ICC, Variance, doubt_of_means, variance_of
from models.grouping.foretold import Lessons, Spread, means_of, spread_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def clustered(seed: int, classes: int, lessons: int, icc: float) -> tuple[Floats, Ints]:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(classes), lessons)
    value = np.sqrt(icc) * rng.normal(size=classes)[group]
    return value + np.sqrt(1 - icc) * rng.normal(size=len(group)), group


def test_with_equal_classes_the_components_are_those_of_restricted_maximum_likelihood() -> None:
    value, group = clustered(1, 40, 8, 0.3)
    mixed = MixedLM(value, np.ones(len(value)), groups=group).fit(reml=True)
    found = variance_of(value, group)
    assert found.between == pytest.approx(float(np.asarray(mixed.cov_re)[0, 0]), abs=1e-4)
    assert found.within == pytest.approx(float(mixed.scale), abs=1e-4)


def test_unequal_classes_give_the_correlation_that_made_them() -> None:
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(3000), rng.integers(1, 20, 3000))
    value = np.sqrt(0.3) * rng.normal(size=3000)[group] + np.sqrt(0.7) * rng.normal(size=len(group))
    assert variance_of(value, group).icc == pytest.approx(0.3, abs=0.02)


def test_differences_between_schools_are_no_likeness_of_a_class() -> None:
    value, group = clustered(3, 600, 8, 0.2)
    school = group // 20
    moved = value + 5 * np.random.default_rng(4).normal(size=30)[school]
    assert variance_of(moved, group).icc > 0.9
    assert variance_of(moved, group, school).icc == pytest.approx(0.2, abs=0.04)
    assert variance_of(moved, group, school).icc == pytest.approx(variance_of(value, group, school).icc)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-3, 3)), min_size=1, max_size=40))
def test_neither_the_order_of_lessons_nor_the_names_of_classes_matter(
    rows: list[tuple[int, float]],
) -> None:
    group, value = np.array([g for g, _ in rows]), np.array([v for _, v in rows])
    order = np.random.default_rng(len(rows)).permutation(len(rows))
    one, other = variance_of(value, group), variance_of(value[order], 7 - group[order])
    assert (other.between, other.within) == pytest.approx((one.between, one.within), abs=1e-9)
    assert 0 <= one.icc <= 1


def test_one_class_says_nothing_so_what_was_believed_stands() -> None:
    lone = variance_of(np.array([1.0, 2.0, 4.0]), np.zeros(3, np.int64))
    assert lone.freedom == 0
    assert lone.icc_after(USUAL_ICC) == USUAL_ICC
    assert Variance(1.0, 1.0, 10**6).icc_after(USUAL_ICC) == pytest.approx(0.5, abs=1e-4)


def test_the_doubt_of_a_mean_is_that_of_means_drawn_again_and_again() -> None:
    rng = np.random.default_rng(5)
    sizes = np.array([2, 5, 13])
    cluster = np.repeat(np.arange(3), sizes)
    draws = np.sqrt(0.3) * rng.normal(size=(40_000, 3))[:, cluster]
    draws += np.sqrt(0.7) * rng.normal(size=draws.shape)
    told = doubt_of_means(np.zeros(20, np.int64), cluster, 1, 0.3)[0]
    assert told == pytest.approx(draws.mean(axis=1).var(), rel=0.03)
    assert told > 3 * (1 / 20)  # as if lessons were independent


def test_unnamed_classes_count_as_usual_ones_and_a_group_without_lessons_is_unknown() -> None:
    many = doubt_of_means(np.zeros(100, np.int64), None, 2, 0.3)
    named = doubt_of_means(np.zeros(100, np.int64), np.arange(100) // USUAL_CLASS, 2, 0.3)
    np.testing.assert_allclose(many, named)
    assert many[1] == np.inf


def test_chance_apart_two_schools_spread_as_far_as_half_their_squared_distance() -> None:
    level = np.array([1.0, 1.0, 3.0, 3.0, 2.0, 2.0, 4.0, 4.0])
    school, class_ = np.repeat(np.arange(2), 4), np.arange(8)
    inside = 8 / 6  # squares around the schools' means, by degrees of freedom
    apart = 1 / 2 - inside / 4  # what the means' squared distance shows, less what chance gives
    found = spread_of(Lessons(level, school, class_, 2, 8), usual=0.2)
    assert found.schools == pytest.approx((3 * 0.2**2 + apart) / (3 + 1))
    assert found.total == pytest.approx(found.schools + inside)


def test_a_school_of_few_lessons_is_hardly_told_from_the_others() -> None:
    rng = np.random.default_rng(6)
    school = np.repeat(np.arange(30), 60)
    class_ = np.arange(1800) // 10
    level = 0.4 * rng.normal(size=30)[school] + 0.3 * rng.normal(size=180)[class_] + rng.normal(size=1800)
    lessons = Lessons(level, school, class_, 30, 180)
    spread = spread_of(lessons, 0.25)
    assert spread.schools == pytest.approx(0.16, abs=0.08)
    assert spread.icc == pytest.approx(0.09 / 1.09, abs=0.05)
    few = Lessons(level[:5], school[:5], class_[:5], 30, 180)
    spread = Spread(0.16, 0.09, 1.0)
    assert means_of(few, spread).steady[0] < 0.4 < 0.7 < means_of(lessons, spread).steady[0]
    assert np.isnan(means_of(few, spread).school[1])
    assert means_of(few, spread).steady[1] == 0
