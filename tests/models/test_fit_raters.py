"""Coaches: severities with their doubt, and plain words where ratings cannot tell."""

from dataclasses import replace

import numpy as np
import pytest

from models.fitting import raters
from models.fitting.crossfit import fitted
from models.fitting.design import Design
from models.fitting.hyper import choose
from tests.models.fit_lessons import design


def visits(school: list[int], coach: list[int], window: list[int] | None = None) -> Design:
    """Ratings by these coaches in these schools, levels all alike."""
    n = len(school)
    one = design(0, n, schools=max(school) + 1, coaches=max(coach) + 1)
    return replace(
        one,
        school=np.array(school),
        coach=np.array(coach),
        window=np.arange(n) if window is None else np.array(window),
    )


def test_severities_are_found_within_their_intervals() -> None:
    inside, found, drawn = [], [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        one = design(seed, 600, coaches=6, coach_sd=0.0)
        true = 0.8 * rng.normal(size=6)
        eta = true[one.coach] + rng.logistic(size=600)
        one = replace(one, level=np.searchsorted([-1.5, 0.2, 1.5, 3.0], eta))
        _, coaches = raters.effects(one, fitted(one, choose(one)).posterior)
        assert [coach.id for coach in coaches] == list(one.coaches)
        assert [coach.ratings for coach in coaches] == np.bincount(one.coach).tolist()
        found += [coach.mean for coach in coaches]
        drawn += (true - true.mean()).tolist()
        inside += [coach.low <= t <= coach.high for coach, t in zip(coaches, true.tolist(), strict=True)]
    assert np.corrcoef(found, drawn)[0, 1] > 0.9
    assert np.mean(inside) > 0.8


def test_one_coach_alone_has_no_severity_that_could_be_told() -> None:
    one = visits([0, 1, 2] * 20, [0] * 60)
    assert raters.notes(one, None) == [raters.ONE_COACH]
    _, coaches = raters.effects(one, fitted(one, choose(one)).posterior)
    assert coaches[0].low < -0.5
    assert coaches[0].high > 0.5


def test_coaches_who_keep_to_schools_of_their_own_cannot_be_told_from_them() -> None:
    assert raters.OWN_SCHOOLS in raters.notes(visits([0, 1, 2, 3] * 10, [0, 0, 1, 1] * 10), None)


def test_coaches_in_two_worlds_compare_within_each_only() -> None:
    said = raters.notes(visits([0, 0, 1, 1, 1] * 10, [0, 1, 2, 3, 2] * 10), None)
    assert any("2 parts" in note for note in said)


def test_coaches_linked_through_schools_compare() -> None:
    said = raters.notes(visits([0, 0, 1, 1, 2, 2] * 10, [0, 1, 1, 2, 2, 3] * 10), None)
    assert said == [raters.NOTHING_TWICE]


def test_agreement_is_of_windows_rated_twice() -> None:
    alone = visits([0, 0, 1, 1], [0, 1, 0, 1])
    assert raters.agreement(alone) is None
    shared = replace(
        visits([0] * 6, [0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 2, 2]), level=np.array([0, 0, 2, 2, 4, 4])
    )
    agreed = raters.agreement(shared)
    assert agreed is not None
    assert agreed.windows == 3
    assert agreed.kappa == pytest.approx(1)
    assert agreed.alpha == pytest.approx(1)
    assert "3 windows" in raters.notes(shared, agreed)[-1]
