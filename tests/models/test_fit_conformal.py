"""Thresholds of sets: they keep their promise on ratings like these, and thin windows never look surer."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.fitting.conformal import (
    LEAST_RATINGS,
    SPARSE,
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
    calibrated = calibrate(scores, share)
    assert len(calibrated.groups) == 1 or min(one.ratings for one in calibrated.groups) >= LEAST_RATINGS
    for groups in (calibrated.groups, calibrated.steps):
        least = [group.least for group in groups]
        thresholds = [group.threshold for group in groups]
        assert least[0] == 0
        assert least == sorted(set(least))
        assert thresholds == sorted(thresholds, reverse=True)
        assert sum(group.ratings for group in groups) == n


def test_below_the_tenth_of_the_evidence_thresholds_rise_to_one_at_none() -> None:
    rng = np.random.default_rng(3)
    share = np.exp(rng.normal(size=400))
    calibrated = calibrate(rng.random(400), share)
    tenth = np.quantile(share, SPARSE)
    found = thresholds_of(calibrated, np.array([0.0, tenth / 100, tenth / 10, tenth / 3, tenth * 1.001]))
    assert found[0] == found[1] == 1.0
    assert (np.diff(found[1:]) < 0).all()
    assert found[-1] == calibrated.groups[0].threshold


def test_sets_of_sparse_windows_hold_what_they_promise_though_their_thresholds_are_others() -> None:
    rng = np.random.default_rng(4)
    held = []
    for _ in range(300):
        share, scores = rng.random(400), rng.random(400)
        calibrated = calibrate(scores[:200], share[:200])
        held.append((scores[200:] <= thresholds_of(calibrated, share[200:])).mean())
    assert 0.895 < np.mean(held) < 0.925


def test_with_enough_ratings_evidence_falls_in_terciles() -> None:
    rng = np.random.default_rng(0)
    share = np.exp(rng.normal(size=300))
    groups = calibrate(rng.random(300) / (0.5 + share), share).groups
    assert [group.ratings for group in groups] == [100, 100, 100]
    assert len(calibrate(rng.random(70) / (0.5 + share[:70]), share[:70]).groups) == 2
    assert len(calibrate(rng.random(59), share[:59]).groups) == 1
    assert len(calibrate(rng.random(300), np.ones(300)).groups) == 1


def test_ratings_of_windows_without_known_evidence_do_not_count() -> None:
    rng = np.random.default_rng(1)
    scores, share = rng.random(100), np.where(np.arange(100) < 40, math.nan, 1.0)
    assert [group.ratings for group in calibrate(scores, share).groups] == [60]
    assert calibrate(scores, np.full(100, math.nan)).groups[0].threshold == 1.0


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
