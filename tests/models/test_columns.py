"""The column tools: orders and codes agree with numpy's slower ones for any input."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features.columns import ranks, small_codes, spread, stable_order, sums
from models.features.sweep import shared_seconds

lawful = settings(derandomize=True, max_examples=80, deadline=None)
wide = st.integers(0, 3) | st.integers(0, 2**20) | st.integers(0, 2**62)


@lawful
@given(st.lists(st.tuples(wide, wide), max_size=50))
def test_the_radix_order_is_the_lexicographic_one_and_stable(rows: list[tuple[int, int]]) -> None:
    first, second = (np.array([row[i] for row in rows], np.int64) for i in (0, 1))
    np.testing.assert_array_equal(stable_order(first, second), np.lexsort((second, first)))


@lawful
@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5), max_size=50))
def test_codes_are_ranks_among_the_distinct_values(values: list[int]) -> None:
    column = np.array(values, np.uint64)
    expected = np.unique(column, return_inverse=True)[1]
    np.testing.assert_array_equal(small_codes(column), expected)


def test_codes_stay_right_when_there_are_more_values_than_the_hash_has_room_for() -> None:
    values = np.random.default_rng(3).integers(0, 2**63, 150_000).astype(np.uint64)
    np.testing.assert_array_equal(small_codes(values), np.unique(values, return_inverse=True)[1])


def test_values_chosen_to_collide_still_get_codes_of_their_own() -> None:
    inverse = pow(0x9E3779B97F4A7C15, -1, 2**64)
    values = np.array([k * inverse % 2**64 for k in range(500)], np.uint64)
    np.testing.assert_array_equal(small_codes(values), np.unique(values, return_inverse=True)[1])


@lawful
@given(st.lists(st.integers(0, 30) | st.integers(0, 2**60), max_size=40))
def test_ranks_count_the_distinct_smaller_values(values: list[int]) -> None:
    column = np.array(values, np.int64)
    np.testing.assert_array_equal(ranks(column), np.unique(column, return_inverse=True)[1])


@lawful
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 4)), max_size=12))
def test_spread_lists_every_number_of_every_row(rows: list[tuple[int, int]]) -> None:
    first, count = (np.array([row[i] for row in rows], np.int64) for i in (0, 1))
    numbers, row = spread(first, count)
    expected = [(begin + k, i) for i, (begin, n) in enumerate(rows) for k in range(n)]
    assert list(zip(numbers.tolist(), row.tolist(), strict=True)) == expected


def test_sums_of_nothing_are_numbers_with_a_fraction() -> None:
    found = sums(np.zeros(0, np.int64), np.zeros(0), 3)
    assert found.dtype == np.float64
    assert found.tolist() == [0, 0, 0]


@lawful
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 59), st.floats(0, 60) | st.sampled_from([1.0, 30.0])),
        min_size=1,
        max_size=15,
    )
)
def test_shared_seconds_are_equal_shares_of_every_moment(rows: list[tuple[int, int, float]]) -> None:
    group = np.array([row[0] for row in rows], np.int64)
    start = np.array([row[1] for row in rows], np.float64)
    end = np.minimum(start + np.array([row[2] for row in rows]), 60)
    found = shared_seconds(group, start, end)
    spans = [(Fraction(a), Fraction(b)) for a, b in zip(start.tolist(), end.tolist(), strict=True)]
    moments = sorted({moment for span in spans for moment in span})
    for i, (low, high) in enumerate(spans):
        share = Fraction(0)
        for begin, stop in pairwise(moments):
            if low <= begin and stop <= high:
                under = [
                    a <= begin and stop <= b and g == group[i] for (a, b), g in zip(spans, group, strict=True)
                ]
                share += (stop - begin) / sum(under)
        assert abs(float(share) - found[i]) < 1e-12
