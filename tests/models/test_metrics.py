"""Metrics, calibration, bootstrap and the permutation check: by hand, by brute force, and by their laws."""

import itertools
import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from models.evaluation import bootstrap, calibration, metrics
from models.evaluation.agreement import confusion, kappa_of
from models.evaluation.permutation import permutation_check

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

lawful = settings(derandomize=True, max_examples=80, deadline=None)


@st.composite
def predictions(draw: st.DrawFn, least: int = 1) -> tuple[Floats, Ints]:
    """probs [n, K] and levels [n]; some rows are certain, some are equal to others."""
    stages, n = draw(st.integers(2, 7)), draw(st.integers(least, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    probs = rng.dirichlet(np.full(stages, draw(st.sampled_from([0.2, 1.0, 5.0]))), n)
    certain = rng.random(n) < draw(st.sampled_from([0.0, 0.3]))
    probs[certain] = np.eye(stages)[rng.integers(0, stages, int(certain.sum()))]
    alike = rng.random(n) < draw(st.sampled_from([0.0, 0.5]))
    probs[alike] = probs[0]
    return probs, rng.integers(0, stages, n)


def drawn_from(probs: Floats, rng: np.random.Generator) -> Ints:
    below = np.cumsum(probs, axis=1)[:, :-1]
    return np.asarray((rng.random(len(probs))[:, None] > below).sum(axis=1), np.int64)


@lawful
@given(predictions())
def test_each_rule_is_the_best_level_for_its_own_loss(drawn: tuple[Floats, Ints]) -> None:
    probs, _ = drawn
    k = np.arange(probs.shape[1])
    apart = np.abs(k[:, None] - k)
    for rule, loss in (
        (metrics.likeliest, apart > 0),
        (metrics.median_level, apart),
        (metrics.mean_level, apart**2),
    ):
        expected = probs @ loss
        np.testing.assert_allclose(
            expected[np.arange(len(probs)), rule(probs)], expected.min(axis=1), atol=1e-9
        )


def test_the_default_rule_agrees_best_where_features_tell_enough() -> None:
    rng = np.random.default_rng(5)
    logit = np.linspace(-2.5, 2.5, 4) - rng.normal(0, 2.0, (20_000, 1))
    below = np.concatenate([np.zeros((20_000, 1)), 1 / (1 + np.exp(-logit)), np.ones((20_000, 1))], axis=1)
    probs = np.diff(below, axis=1)
    how = metrics.by_rule(probs, drawn_from(probs, rng))
    assert max(how, key=lambda name: how[name][0]) == metrics.DEFAULT_RULE
    assert max(how, key=lambda name: how[name][1]) == metrics.DEFAULT_RULE


@lawful
@given(predictions())
def test_the_figures_of_a_rule_are_those_of_its_levels(drawn: tuple[Floats, Ints]) -> None:
    probs, level = drawn
    for name, (kappa, exact, near) in metrics.by_rule(probs, level).items():
        placed = metrics.RULES[name](probs)
        table = confusion(placed, level, probs.shape[1])
        assert kappa == pytest.approx(float(kappa_of(table)), nan_ok=True)
        assert exact == pytest.approx(np.trace(table) / len(level))
        assert exact <= near <= 1


@lawful
@given(predictions())
def test_a_rank_score_is_zero_only_for_the_certain_and_right_and_one_only_for_the_other_end(
    drawn: tuple[Floats, Ints],
) -> None:
    probs, level = drawn
    scores = metrics.rank_scores(probs, level)
    own = probs[np.arange(len(level)), level]
    np.testing.assert_array_equal(scores < 1e-24, own > 1 - 1e-12)
    assert (scores <= 1 + 1e-12).all()
    end = np.eye(5)[[0, 4]]
    np.testing.assert_array_equal(metrics.rank_scores(end, np.array([4, 0])), [1.0, 1.0])


@lawful
@given(predictions())
def test_a_rank_score_does_not_care_which_end_is_the_upper(drawn: tuple[Floats, Ints]) -> None:
    probs, level = drawn
    upside_down = metrics.rank_scores(probs[:, ::-1], probs.shape[1] - 1 - level)
    np.testing.assert_allclose(upside_down, metrics.rank_scores(probs, level), atol=1e-12)


def test_a_rank_score_by_hand() -> None:
    probs = np.array([[0.2, 0.5, 0.3]])
    assert metrics.rank_scores(probs, np.array([2]))[0] == pytest.approx((0.2**2 + 0.7**2) / 2)


@lawful
@given(st.integers(1, 2000), st.data())
def test_a_share_has_wilson_s_interval(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    share = metrics.wilson(hits, n)
    low, high = proportion_confint(hits, n, alpha=0.1, method="wilson")
    assert share.low == pytest.approx(low, abs=1e-12)
    assert share.high == pytest.approx(high, abs=1e-12)
    assert 0 <= share.low <= share.value <= share.high <= 1


@lawful
@given(predictions(), st.integers(0, 2**32 - 1))
def test_coverage_counts_the_ratings_inside_their_sets(drawn: tuple[Floats, Ints], seed: int) -> None:
    probs, level = drawn
    rng, stages = np.random.default_rng(seed), probs.shape[1]
    ends = np.sort(rng.integers(0, stages, (2, len(level))), axis=0)
    low, high = np.where(rng.random(len(level)) < 0.2, -1, ends)
    rows = [(a, b, y) for a, b, y in zip(low.tolist(), high.tolist(), level.tolist(), strict=True) if a >= 0]
    found = metrics.covered(low, high, level)
    assert (found.coverage.hits, found.coverage.n) == (sum(a <= y <= b for a, b, y in rows), len(rows))
    assert found.size == pytest.approx(
        sum(b - a + 1 for a, b, _ in rows) / len(rows) if rows else math.nan, nan_ok=True
    )
    wider = metrics.covered(np.where(low < 0, -1, np.maximum(low - 1, 0)), high, level)
    assert wider.coverage.hits >= found.coverage.hits
    group = rng.integers(-1, 3, len(level))
    parts = metrics.covered_by_group(low, high, level, group, 3)
    assert sum(part.coverage.n for part in parts) == int(((low >= 0) & (group >= 0)).sum())


def test_a_window_belongs_to_the_last_evidence_group_that_starts_at_or_below_it() -> None:
    share = np.array([0.0, 0.49, 0.5, 1.0, 7.0, math.nan])
    assert metrics.evidence_groups(share, np.array([0.0, 0.5, 1.0])).tolist() == [0, 0, 1, 2, 2, -1]


@lawful
@given(predictions(), st.integers(0, 2**32 - 1))
def test_how_rows_are_ordered_changes_no_figure(drawn: tuple[Floats, Ints], seed: int) -> None:
    probs, level = drawn
    order = np.random.default_rng(seed).permutation(len(level))
    placed = metrics.likeliest(probs)
    one = metrics.abstention_curve(probs, placed, level)
    other = metrics.abstention_curve(probs[order], placed[order], level[order])
    np.testing.assert_equal([astuple(kept) for kept in other], [astuple(kept) for kept in one])
    for binning in ("equal_width", "equal_mass"):
        assert calibration.calibration_error(probs[order], level[order], binning) == pytest.approx(
            calibration.calibration_error(probs, level, binning)
        )


@lawful
@given(predictions())
def test_abstention_keeps_at_least_what_is_asked_and_only_ties_beyond(drawn: tuple[Floats, Ints]) -> None:
    probs, level = drawn
    placed = metrics.likeliest(probs)
    curve = metrics.abstention_curve(probs, placed, level)
    certain = np.sort(np.round(probs.max(axis=1), 12))[::-1]
    for kept in curve:
        asked = math.ceil(kept.share * len(level) - 1e-9)
        assert kept.ratings == int((certain >= certain[asked - 1]).sum()) >= asked
    assert curve[0].ratings == len(level)
    assert curve[0].accuracy == pytest.approx(metrics.within(placed, level, 0))


def test_leaving_out_the_uncertain_helps_when_they_are_the_ones_that_are_wrong() -> None:
    top = np.linspace(0.4, 0.99, 100)
    probs = np.stack([top, (1 - top) / 2, (1 - top) / 2], axis=1)
    level = np.where(top < 0.7, 2, 0)
    curve = metrics.abstention_curve(probs, metrics.likeliest(probs), level)
    assert [kept.accuracy for kept in curve] == sorted(kept.accuracy for kept in curve)
    assert (curve[0].accuracy, curve[-1].accuracy) == (0.49, 1.0)


@lawful
@given(predictions())
def test_calibration_error_lies_between_nothing_and_everything(drawn: tuple[Floats, Ints]) -> None:
    probs, level = drawn
    for binning in ("equal_width", "equal_mass"):
        assert 0 <= calibration.calibration_error(probs, level, binning) <= 1
    for cut in calibration.cumulative_calibration(probs, level):
        assert sum(b.ratings for b in cut.bins) == len(level)
        assert all(b.low - 1e-12 <= b.predicted <= b.high + 1e-12 and 0 <= b.seen <= 1 for b in cut.bins)
        gaps = (b.ratings * abs(b.seen - b.predicted) for b in cut.bins)
        assert cut.gap == pytest.approx(sum(gaps) / len(level), abs=1e-12)


def test_calibration_error_by_hand() -> None:
    probs = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.35, 0.65]])
    level = np.array([0, 1, 1, 1])
    # bin (.8, .9]: 1 hit of an expected 1.8; bin (.6, .7]: 2 hits of an expected 1.35
    assert calibration.calibration_error(probs, level) == pytest.approx((0.8 + 0.65) / 4)


def test_one_who_is_certain_and_always_right_has_no_calibration_error_and_always_wrong_all_of_it() -> None:
    level = np.array([0, 1, 2, 2])
    assert calibration.calibration_error(np.eye(3)[level], level) == 0
    assert calibration.calibration_error(np.eye(3)[(level + 1) % 3], level) == 1


def test_bins_of_equal_mass_hold_equally_many() -> None:
    p = np.random.default_rng(0).random(1000)
    where = calibration.bin_of(p, calibration.edges_of(p, "equal_mass"))
    assert np.bincount(where).tolist() == [100] * 10


def test_right_probabilities_show_the_calibration_error_that_chance_predicts() -> None:
    rng = np.random.default_rng(1)
    for n in (60, 600):
        probs = rng.dirichlet(np.ones(5), n)
        seen = [calibration.calibration_error(probs, drawn_from(probs, rng)) for _ in range(2000)]
        told = calibration.error_if_perfect(probs, seed=2, draws=3000)
        assert told.mean == pytest.approx(np.mean(seen), rel=0.05)
        assert np.mean(np.array(seen) <= told.high) == pytest.approx(0.95, abs=0.025)


def test_chance_lifts_the_calibration_error_less_the_more_ratings_there_are() -> None:
    probs = np.random.default_rng(3).dirichlet(np.ones(5), 20_000)
    means = [calibration.error_if_perfect(probs[:n], seed=0, draws=50).mean for n in (50, 500, 20_000)]
    assert means[0] > 2 * means[1] > 4 * means[2]


def test_overconfidence_shows_in_the_cumulative_calibration() -> None:
    rng = np.random.default_rng(4)
    honest = rng.dirichlet(np.ones(4), 4000)
    level = drawn_from(honest, rng)
    sharp = honest**3 / (honest**3).sum(axis=1, keepdims=True)
    for right, wrong in zip(
        calibration.cumulative_calibration(honest, level),
        calibration.cumulative_calibration(sharp, level),
        strict=True,
    ):
        assert right.gap < 0.03 < wrong.gap
        assert wrong.bins[0].seen > wrong.bins[0].predicted
        assert wrong.bins[-1].seen < wrong.bins[-1].predicted


def columns(probs: Floats, level: Ints) -> tuple[Floats, Ints]:
    """Columns of the bootstrap with sets around the likeliest level, and the levels placed."""
    placed = metrics.likeliest(probs)
    low, high = np.maximum(placed - 1, 0), np.minimum(placed + 1, probs.shape[1] - 1)
    return bootstrap.columns_of(probs, placed, level, low, high), placed


@lawful
@given(predictions())
def test_headline_figures_from_sums_are_the_metrics_themselves(drawn: tuple[Floats, Ints]) -> None:
    probs, level = drawn
    sums, placed = columns(probs, level)
    stages = probs.shape[1]
    found = {name: float(value) for name, value in bootstrap.headline(sums.sum(axis=0), stages).items()}
    assert tuple(found) == bootstrap.HEADLINE
    low, high = np.maximum(placed - 1, 0), np.minimum(placed + 1, stages - 1)
    sets = metrics.covered(low, high, level)
    expected = {
        "kappa": float(kappa_of(confusion(placed, level, stages))),
        "accuracy": metrics.within(placed, level, 0),
        "within_one": metrics.within(placed, level, 1),
        "ece": calibration.calibration_error(probs, level),
        "rps": metrics.rank_scores(probs, level).mean(),
        "coverage": sets.coverage.value,
        "size": sets.size,
    }
    assert found == pytest.approx(expected, nan_ok=True)


def test_rating_every_lesson_of_the_same_schools_again_narrows_no_interval() -> None:
    rng = np.random.default_rng(6)
    probs = rng.dirichlet(np.ones(5), 200)
    level, school = drawn_from(probs, rng), rng.integers(0, 8, 200)
    once = bootstrap.intervals(columns(probs, level)[0], school, 5, seed=1, draws=200)
    again = np.tile(columns(probs, level)[0], (10, 1))
    found = bootstrap.intervals(again, np.tile(school, 10), 5, seed=1, draws=200)
    for name, ends in once.items():
        assert found[name] == pytest.approx(ends), name


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others() -> None:
    rng = np.random.default_rng(7)
    probs = rng.dirichlet(np.ones(5), 100)
    sums, school = columns(probs, drawn_from(probs, rng))[0], rng.integers(0, 8, 100)
    one, same, other = (bootstrap.intervals(sums, school, 5, seed=seed, draws=100) for seed in (1, 1, 2))
    assert one == same != other


def test_one_cluster_has_no_interval() -> None:
    probs = np.full((9, 3), 1 / 3)
    found = bootstrap.intervals(columns(probs, np.arange(9) % 3)[0], np.zeros(9, np.int64), 3, seed=0)
    assert all(math.isnan(end) for ends in found.values() for end in ends)


def test_intervals_by_school_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(8)
    schools, lessons, hits, naive = 25, 20, 0, 0
    school = np.repeat(np.arange(schools), lessons)
    probs = np.tile([0.6, 0.3, 0.1], (len(school), 1))
    for _ in range(200):
        own = rng.beta(3, 2, schools)[school]
        level = np.where(rng.random(len(school)) < own, 0, 1)
        sums, _ = columns(probs, level)
        low, high = bootstrap.intervals(sums, school, 3, seed=0, draws=200)["accuracy"]
        hits += low <= 0.6 <= high
        alone = metrics.wilson(int((level == 0).sum()), len(level))
        naive += alone.low <= 0.6 <= alone.high
    assert 0.82 <= hits / 200 <= 0.95
    assert naive / 200 < 0.7


def all_shuffles(placed: Ints, level: Ints, coach: Ints, stages: int) -> list[float]:
    """Kappa of every way to deal each coach's ratings to that coach's windows."""
    groups = [np.flatnonzero(coach == c) for c in np.unique(coach)]
    found = []
    for orders in itertools.product(*(itertools.permutations(group.tolist()) for group in groups)):
        dealt = level.copy()
        for group, order in zip(groups, orders, strict=True):
            dealt[group] = level[list(order)]
        found.append(float(kappa_of(confusion(placed, dealt, stages))))
    return found


def test_shuffling_draws_evenly_from_all_ways_to_deal_each_coach_s_ratings() -> None:
    placed, level = np.array([0, 1, 2, 3, 0, 2, 3]), np.array([0, 2, 2, 3, 1, 1, 2])
    coach = np.array([0, 1, 0, 1, 0, 1, 0])
    every = np.array(all_shuffles(placed, level, coach, 4))
    check = permutation_check(placed, level, coach, 4, seed=0, permutations=20_000)
    for kappa in np.unique(np.round(every, 9)):
        expected = np.isclose(every, kappa).mean()
        assert np.isclose(check.kappas, kappa).mean() == pytest.approx(expected, abs=0.015)
    assert np.isclose(check.kappas[:, None], np.unique(every)).any(axis=1).all()
    assert check.p == pytest.approx((every >= check.kappa - 1e-9).mean(), abs=0.015)


def test_perfect_placements_leave_chance_the_least_p_there_is() -> None:
    level = np.random.default_rng(9).integers(0, 5, 200)
    check = permutation_check(level, level, np.zeros(200, np.int64), 5, seed=0, permutations=999)
    assert (check.kappa, check.p) == (1.0, 0.001)
    assert abs(check.kappas.mean()) < 0.02


def test_a_coach_s_severity_alone_proves_nothing() -> None:
    coach = np.repeat([0, 1], 100)
    level = np.where(coach == 0, 1, 3)
    placed = level.copy()
    check = permutation_check(placed, level, coach, 5, seed=0, permutations=99)
    assert check.kappa == 1
    assert check.p == 1
    np.testing.assert_allclose(check.kappas, 1)


def test_p_is_even_where_placements_know_nothing() -> None:
    rng = np.random.default_rng(10)
    coach = rng.integers(0, 4, 80)
    found = [
        permutation_check(
            rng.integers(0, 5, 80), rng.integers(0, 5, 80), coach, 5, seed=seed, permutations=99
        ).p
        for seed in range(300)
    ]
    for level in (0.1, 0.5, 0.9):
        assert np.mean(np.array(found) <= level) == pytest.approx(level, abs=0.08)


def test_where_there_is_no_kappa_there_is_no_check() -> None:
    same = np.ones(5, np.int64)
    check = permutation_check(same, same, same, 3, seed=0, permutations=9)
    assert math.isnan(check.kappa)
    assert math.isnan(check.p)
    assert np.isnan(check.kappas).all()


def test_no_ratings_give_no_figures_and_no_error() -> None:
    probs, level = np.zeros((0, 4)), np.zeros(0, np.int64)
    assert math.isnan(calibration.calibration_error(probs, level))
    assert math.isnan(calibration.error_if_perfect(probs, seed=0).mean)
    assert all(
        kept.ratings == 0 and math.isnan(kept.accuracy)
        for kept in metrics.abstention_curve(probs, level, level)
    )
    assert math.isnan(metrics.wilson(0, 0).value)
    assert all(cut.bins == () for cut in calibration.cumulative_calibration(probs, level))
