"""Drift of later lessons: none where nothing changed, found where something did, worked out by hand."""

import math
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.card.drift import FEWEST, MUCH, SOME, bins_of, drift, psi, psi_by_chance
from models.features.set1 import EVIDENCE, FEATURE_INDEX, FEATURES
from models.fitting.fit import Options, fit_model
from models.fitting.ratings import DimensionRatings, RatingTable
from models.scoring.fit_file import Fit
from models.tables import FeatureTable
from tests.models.fit_lessons import TIM

Floats = NDArray[np.float64]

WINDOWS = 2000
KINDS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "smooth": lambda rng, n: rng.normal(size=n),
    "often zero": lambda rng, n: np.where(rng.random(n) < 0.64, 0.0, rng.gamma(2.0, size=n)),
    "rarely zero": lambda rng, n: np.where(rng.random(n) < 0.13, 0.0, rng.gamma(2.0, size=n)),
    "yes or no": lambda rng, n: (rng.random(n) < 0.06).astype(float),
    "counts": lambda rng, n: rng.poisson(1.7, n).astype(float),
    "one value": lambda rng, n: np.full(n, 1.0),
    "capped": lambda rng, n: np.minimum(rng.gamma(2.0, size=n), 3.0),
}


def deciles(values: Floats) -> tuple[float, ...]:
    return tuple(np.quantile(values, np.arange(1, 10) / 10).tolist())


def fit_of(x: Floats) -> Fit:
    """A fit that knows these windows and no rating."""
    none = np.empty(0, np.int64)
    rated = {one.id: DimensionRatings(none, none, none, 0, 0) for one in TIM.dimensions}
    table = FeatureTable(tuple(f"w{i}" for i in range(len(x))), ("s",) * len(x), None, None, x)
    return fit_model(TIM, table, RatingTable((), rated, 0, ""), Options(), day="2025-03-04")


@pytest.mark.parametrize("kind", KINDS)
def test_the_very_lessons_of_the_fit_have_not_moved(kind: str) -> None:
    values = KINDS[kind](np.random.default_rng(1), WINDOWS)
    expected, counts = bins_of(values, np.array(deciles(values)), float(values.mean()))
    assert expected.sum() == pytest.approx(1) and counts.sum() == WINDOWS
    assert psi(expected, counts) < 0.001


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"one value"}))
def test_new_lessons_of_the_same_kind_stay_within_chance_nineteen_times_in_twenty(kind: str) -> None:
    rng = np.random.default_rng(2)
    beyond = 0
    for _ in range(200):
        before, later = KINDS[kind](rng, WINDOWS), KINDS[kind](rng, 150)
        expected, counts = bins_of(later, np.array(deciles(before)), float(before.mean()))
        beyond += psi(expected, counts) > psi_by_chance(len(expected), 150, WINDOWS)
    assert beyond <= 22  # 5% of 200 and four standard deviations


@pytest.mark.parametrize(
    ("kind", "moved"),
    [
        ("smooth", lambda values: values + 1),
        ("often zero", lambda values: np.where(values > 2, values, 0.0)),
        ("rarely zero", lambda values: values * 2),
        ("yes or no", lambda values: np.where(np.arange(len(values)) % 3 == 0, 1.0, values)),
        ("counts", lambda values: values + 2),
        ("one value", lambda values: np.full(len(values), 0.2)),
        ("one value", lambda values: np.full(len(values), 1.8)),
        ("capped", lambda values: np.minimum(values, 1.0)),
    ],
)
def test_lessons_that_changed_are_found(kind: str, moved: Callable[[Floats], Floats]) -> None:
    values = KINDS[kind](np.random.default_rng(3), WINDOWS)
    expected, counts = bins_of(moved(values), np.array(deciles(values)), float(values.mean()))
    assert psi(expected, counts) > max(SOME, psi_by_chance(len(expected), WINDOWS, WINDOWS))


def test_the_index_is_what_one_works_out_by_hand() -> None:
    # 9 and 1 lessons, half a lesson added to each of two bins that the fit filled evenly.
    a, b = 9.5 / 11, 1.5 / 11
    by_hand = (a - 0.5) * math.log(a / 0.5) + (b - 0.5) * math.log(b / 0.5)
    assert psi(np.array([0.5, 0.5]), np.array([9, 1])) == pytest.approx(by_hand)
    assert psi(np.array([0.5, 0.5]), np.array([10, 0])) < math.inf


def test_a_shift_by_one_standard_deviation_is_nearly_jeffreys_divergence_of_one() -> None:
    rng = np.random.default_rng(4)
    before, later = rng.normal(size=50_000), rng.normal(1.0, size=50_000)
    found = psi(*bins_of(later, np.array(deciles(before)), 0.0))
    assert 0.85 < found < 1.0  # bins lose a little of it


def test_what_chance_brings_follows_chi_squared() -> None:
    assert psi_by_chance(10, 100, 400) == pytest.approx(16.919 * (1 / 100 + 1 / 400), rel=0.002)
    assert psi_by_chance(2, 100, 400) == pytest.approx(3.841 * (1 / 100 + 1 / 400), rel=0.03)
    assert psi_by_chance(1, 100, 400) == 0


def test_a_feature_of_yes_and_no_is_known_by_its_mean() -> None:
    # Deciles of a feature that is 1 in 5 of 100 windows are all 0; its mean tells a tripling.
    later = np.array([1.0] * 15 + [0.0] * 85)
    expected, counts = bins_of(later, np.zeros(9), 0.05)
    assert expected.tolist() == [0.95, 0.05] and counts.tolist() == [85, 15]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    before=st.lists(st.integers(-3, 3) | st.floats(-5, 5), min_size=30, max_size=80),
    later=st.lists(st.integers(-3, 3) | st.floats(-5, 5), min_size=30, max_size=80),
)
def test_shares_sum_to_one_every_lesson_is_counted_and_the_index_is_never_negative(
    before: list[float], later: list[float]
) -> None:
    own, new = np.array(before, float), np.array(later, float)
    expected, counts = bins_of(new, np.array(deciles(own)), float(own.mean()))
    assert (expected.sum() == pytest.approx(1) and (expected > 0).all()) or len(expected) == 2
    assert counts.sum() == len(new) and (counts >= 0).all()
    assert psi(expected, counts) >= 0


def test_what_a_fit_never_saw_and_what_later_lessons_do_not_show_have_no_index() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(300, len(FEATURES)))
    x[:, EVIDENCE] = 300 + rng.random(300)
    never, gone, few = (FEATURE_INDEX[name] for name in ("ar_use", "synchrony", "plan_share"))
    x[:, never] = np.nan
    later = rng.normal(size=(100, len(FEATURES)))
    later[:, EVIDENCE] = 300 + rng.random(100)
    later[:, gone] = np.nan
    later[FEWEST - 1 :, few] = np.nan
    fit = fit_of(x)
    found = drift(later, fit)
    assert [one.feature for one in found if one.psi is None] == sorted([never, gone, few])
    assert [one.feature for one in found if not one.in_fit] == [never]
    assert found[gone].missing == 1
    assert found[few].missing == pytest.approx(1 - (FEWEST - 1) / 100)
    assert all(one.was_missing is None for one in found)
    assert max(one.psi for one in found if one.psi is not None) < MUCH


def test_order_of_later_lessons_changes_nothing() -> None:
    rng = np.random.default_rng(6)
    x = np.abs(rng.normal(size=(200, len(FEATURES))))
    fit = fit_of(x)
    assert drift(x, fit) == drift(x[rng.permutation(200)], fit)
    assert msgspec.json.encode(fit) == msgspec.json.encode(fit_of(x))
