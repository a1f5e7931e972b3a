"""Thresholds of sets: they keep their promise on ratings like these, and thin windows never look surer."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.fitting.conformal import (
    LEAST_RATINGS,
    calibrate,
    fresh_thresholds,
    nonconformity,
    quantile,
    thresholds_of,
)
from models.scoring.sets import stage_sets

lawful = settings(derandomize=True, max_examples=60, deadline=None)


def test_the_quantile_is_the_finite_sample_one() -> None:
    assert quantile(np.arange(1, 20) / 100, 0.1) == 0.18
    assert quantile(np.arange(1, 100) / 100, 0.1) == 0.90
    assert quantile(np.arange(1, 10) / 100, 0.1) == 0.09
    assert quantile(np.arange(1, 9) / 100, 0.1) == 1.0
    assert quantile(np.zeros(0), 0.1) == 1.0


@lawful
@given(st.integers(0, 10_000), st.integers(0, 400), st.floats(-2, 2))
def test_groups_rise_from_zero_and_thinner_evidence_never_has_the_lower_threshold(
    seed: int, n: int, lean: float
) -> None:
    rng = np.random.default_rng(seed)
    share = np.exp(rng.normal(size=n)).round(1)
    scores = np.clip(rng.random(n) + lean * (share - 1), 0, 0.999)
    groups = calibrate(scores, share)
    least = [group.least for group in groups]
    thresholds = [group.threshold for group in groups]
    assert least[0] == 0
    assert least == sorted(set(least))
    assert thresholds == sorted(thresholds, reverse=True)
    assert sum(group.ratings for group in groups) == n
    assert len(groups) == 1 or min(group.ratings for group in groups) >= LEAST_RATINGS


def test_with_enough_ratings_evidence_falls_in_terciles() -> None:
    rng = np.random.default_rng(0)
    share = np.exp(rng.normal(size=300))
    groups = calibrate(rng.random(300) / (0.5 + share), share)
    assert [group.ratings for group in groups] == [100, 100, 100]
    assert len(calibrate(rng.random(70) / (0.5 + share[:70]), share[:70])) == 2
    assert len(calibrate(rng.random(59), share[:59])) == 1
    assert len(calibrate(rng.random(300), np.ones(300))) == 1


def test_ratings_of_windows_without_known_evidence_do_not_count() -> None:
    rng = np.random.default_rng(1)
    scores, share = rng.random(100), np.where(np.arange(100) < 40, math.nan, 1.0)
    assert [group.ratings for group in calibrate(scores, share)] == [60]
    assert calibrate(scores, np.full(100, math.nan))[0].threshold == 1.0


def test_sets_hold_nine_of_ten_new_ratings_whatever_the_probabilities_are() -> None:
    rng = np.random.default_rng(2)
    told = []
    for _ in range(200):
        true = rng.dirichlet(np.ones(5), 400)
        level = (rng.random((400, 1)) > np.cumsum(true, axis=1)[:, :-1]).sum(axis=1)
        said = true**3 / (true**3).sum(axis=1, keepdims=True)  # far too sure of itself
        share = rng.random(400) * 2
        groups = calibrate(nonconformity(said[:200], level[:200]), share[:200])
        low, high = stage_sets(said[200:], thresholds_of(groups, share[200:]))
        told.append(((low <= level[200:]) & (level[200:] <= high)).mean())
    assert 0.895 < np.mean(told) < 0.925


def test_a_check_of_coverage_never_uses_a_ratings_own_fold() -> None:
    scores = np.concatenate([np.full(50, 0.99), np.full(450, 0.01)])
    fold = np.concatenate([np.zeros(50, np.int64), np.ones(450, np.int64)])
    fresh = fresh_thresholds(scores, np.ones(500), fold)
    assert (fresh[:50] == 0.01).all()
    assert (fresh[50:] == 0.99).all()
