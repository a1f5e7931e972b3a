"""Agreement: the figures of independent packages, and the laws that any agreement keeps."""

import math

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.stats.inter_rater import cohens_kappa

from models.evaluation.agreement import (
    NO_RATINGS,
    NO_SPREAD,
    ONE_LEVEL,
    Agreed,
    by_coach_pair,
    confusion,
    exact_and_within_one,
    kappa_between,
    kappa_of,
    krippendorff_alpha,
    level_counts,
    quadratic_weighted_kappa,
    shared_pairs,
)

Ints = NDArray[np.int64]

lawful = settings(derandomize=True, max_examples=80, deadline=None)


@st.composite
def two_raters(draw: st.DrawFn) -> tuple[Ints, Ints, int]:
    """Levels [n] of two raters, and K."""
    stages = draw(st.integers(2, 8))
    pair = st.tuples(st.integers(0, stages - 1), st.integers(0, stages - 1))
    a, b = np.array(draw(st.lists(pair, min_size=1, max_size=60)), np.int64).T
    return a, b, stages


@st.composite
def many_raters(draw: st.DrawFn) -> tuple[Ints, int]:
    """Levels [raters, windows], -1 where a rater skipped the window, and K."""
    stages = draw(st.integers(2, 6))
    shape = draw(st.tuples(st.integers(2, 6), st.integers(1, 25)))
    cells = draw(
        st.lists(st.integers(-1, stages - 1), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])
    )
    return np.array(cells, np.int64).reshape(shape), stages


def as_rows(wide: Ints) -> tuple[Ints, Ints, Ints]:
    """window, coach, level [n] of the ratings in a table [raters, windows]."""
    coach, window = np.nonzero(wide >= 0)
    return window, coach, wide[coach, window]


def alpha_of(wide: Ints, stages: int) -> Agreed:
    window, _, level = as_rows(wide)
    return krippendorff_alpha(level_counts(window, level, wide.shape[1], stages))


@lawful
@given(two_raters())
def test_kappa_is_that_of_statsmodels(drawn: tuple[Ints, Ints, int]) -> None:
    a, b, stages = drawn
    assume(len(np.unique(np.concatenate([a, b]))) > 1)
    theirs = cohens_kappa(confusion(a, b, stages), weights=None, wt="quadratic", return_results=False)
    assert quadratic_weighted_kappa(a, b, stages).value == pytest.approx(theirs, abs=1e-9)


@lawful
@given(two_raters())
def test_kappa_does_not_care_who_is_first_nor_which_end_is_the_upper(drawn: tuple[Ints, Ints, int]) -> None:
    a, b, stages = drawn
    kappa = quadratic_weighted_kappa(a, b, stages).value
    assert quadratic_weighted_kappa(b, a, stages).value == pytest.approx(kappa, abs=1e-12, nan_ok=True)
    upside_down = quadratic_weighted_kappa(stages - 1 - a, stages - 1 - b, stages).value
    assert upside_down == pytest.approx(kappa, abs=1e-12, nan_ok=True)
    assert math.isnan(kappa) or kappa <= 1


@lawful
@given(two_raters())
def test_perfect_agreement_is_one_and_nothing_else_is(drawn: tuple[Ints, Ints, int]) -> None:
    a, b, stages = drawn
    same = quadratic_weighted_kappa(a, a, stages)
    assert same.value == pytest.approx(1) if len(np.unique(a)) > 1 else same.why == ONE_LEVEL
    if (a != b).any():
        assert quadratic_weighted_kappa(a, b, stages).value < 1


def test_a_far_miss_costs_more_than_a_near_one() -> None:
    a = np.array([0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
    near, far = a.copy(), a.copy()
    near[0], far[0] = 1, 4
    assert quadratic_weighted_kappa(a, near, 5).value > quadratic_weighted_kappa(a, far, 5).value


def test_kappa_of_many_tables_at_once_is_that_of_each() -> None:
    tables = np.random.default_rng(0).integers(0, 9, (7, 4, 4))
    np.testing.assert_allclose(kappa_of(tables), [float(kappa_of(table)) for table in tables])


def test_where_nothing_can_disagree_there_is_no_kappa_but_a_reason() -> None:
    ones, nothing = np.ones(5, np.int64), np.zeros(0, np.int64)
    same, empty = quadratic_weighted_kappa(ones, ones, 3), quadratic_weighted_kappa(nothing, nothing, 3)
    assert math.isnan(same.value)
    assert same.why == ONE_LEVEL
    assert math.isnan(empty.value)
    assert empty.why == NO_RATINGS


def test_two_raters_who_each_know_one_level_only_agree_by_chance() -> None:
    assert quadratic_weighted_kappa(np.zeros(5, np.int64), np.ones(5, np.int64), 3) == Agreed(0.0)


@lawful
@given(many_raters())
def test_alpha_is_that_of_the_krippendorff_package(drawn: tuple[Ints, int]) -> None:
    wide, stages = drawn
    ours = alpha_of(wide, stages)
    assume(not ours.why)
    theirs = krippendorff.alpha(
        reliability_data=np.where(wide < 0, np.nan, wide),
        value_domain=list(range(stages)),
        level_of_measurement="ordinal",
    )
    assert ours.value == pytest.approx(theirs, abs=1e-9)


@lawful
@given(many_raters(), st.integers(0, 2**32 - 1))
def test_alpha_does_not_care_which_rater_is_which(drawn: tuple[Ints, int], seed: int) -> None:
    wide, stages = drawn
    shuffled = np.random.default_rng(seed).permuted(wide, axis=0)
    assert alpha_of(shuffled, stages).value == pytest.approx(
        alpha_of(wide, stages).value, abs=1e-9, nan_ok=True
    )


@lawful
@given(many_raters())
def test_alpha_has_a_value_or_a_reason(drawn: tuple[Ints, int]) -> None:
    wide, stages = drawn
    twice = wide[:, (wide >= 0).sum(axis=0) >= 2]
    found = alpha_of(wide, stages)
    if not twice.size:
        assert found.why == NO_RATINGS
    elif len(np.unique(twice[twice >= 0])) == 1:
        assert found.why == NO_SPREAD
    else:
        assert not found.why
        assert found.value <= 1 + 1e-12


@lawful
@given(many_raters())
def test_windows_rated_once_change_no_agreement(drawn: tuple[Ints, int]) -> None:
    wide, stages = drawn
    once = np.full((len(wide), 1), -1)
    once[0] = stages - 1
    more = np.concatenate([wide, once], axis=1)
    assert alpha_of(more, stages).value == pytest.approx(alpha_of(wide, stages).value, abs=1e-12, nan_ok=True)
    assert len(shared_pairs(*as_rows(more))) == len(shared_pairs(*as_rows(wide)))


@lawful
@given(many_raters())
def test_every_two_ratings_of_a_window_make_one_pair(drawn: tuple[Ints, int]) -> None:
    wide, _ = drawn
    window, coach, level = as_rows(wide)
    order = np.random.default_rng(1).permutation(len(window))
    pairs = shared_pairs(window[order], coach[order], level[order])
    found = sorted(
        zip(
            pairs.coach_a.tolist(),
            pairs.coach_b.tolist(),
            pairs.level_a.tolist(),
            pairs.level_b.tolist(),
            strict=True,
        )
    )
    expected = sorted(
        (a, b, int(wide[a, w]), int(wide[b, w]))
        for w in range(wide.shape[1])
        for a in range(len(wide))
        for b in range(a + 1, len(wide))
        if wide[a, w] >= 0 and wide[b, w] >= 0
    )
    assert found == expected


@lawful
@given(many_raters())
def test_agreement_between_coaches_does_not_depend_on_their_numbers(drawn: tuple[Ints, int]) -> None:
    wide, stages = drawn
    kappa = kappa_between(shared_pairs(*as_rows(wide)), stages).value
    other = kappa_between(shared_pairs(*as_rows(wide[::-1])), stages).value
    assert other == pytest.approx(kappa, abs=1e-12, nan_ok=True)


def test_each_two_coaches_are_compared_on_the_windows_they_share() -> None:
    wide = np.array([[0, 1, 2, 3, -1], [0, 1, 2, 2, 4], [-1, -1, 0, -1, 2]])
    a_b, a_c, b_c = by_coach_pair(shared_pairs(*as_rows(wide)), 5)
    assert (a_b.coach_a, a_b.coach_b, a_b.windows, a_b.exact, a_b.within_one) == (0, 1, 4, 0.75, 1.0)
    assert a_b.kappa == quadratic_weighted_kappa(wide[0, :4], wide[1, :4], 5)
    assert (a_c.windows, a_c.exact, a_c.within_one) == (1, 0.0, 0.0)
    assert (b_c.coach_a, b_c.coach_b, b_c.windows) == (1, 2, 2)


def test_shares_of_no_ratings_are_none() -> None:
    nothing = np.zeros(0, np.int64)
    assert all(map(math.isnan, exact_and_within_one(nothing, nothing)))
    assert by_coach_pair(shared_pairs(nothing, nothing, nothing), 5) == ()
