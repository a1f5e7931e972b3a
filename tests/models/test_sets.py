"""Sets of stages: contiguous, around the likeliest, nested, by evidence group; verdicts in their order."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.features.set1 import EVIDENCE, FEATURES
from models.scoring.placing import NO_SET, Placing, Rule
from models.scoring.sets import (
    EVIDENCE_ONLY,
    NO_STAGE,
    PLACED,
    THIN,
    group_thresholds,
    mass_before,
    stage_set,
    stage_sets,
    verdicts,
)

Floats = NDArray[np.float64]

lawful = settings(derandomize=True, max_examples=200, deadline=None)

# Small whole numbers over their sum: equal stages, and stages of no probability, are common.
parts = st.lists(st.integers(0, 4), min_size=2, max_size=8).filter(any)
limits = st.floats(0, 1) | st.sampled_from([0.0, 0.25, 0.5, 1.0])


def probabilities(counts: list[int]) -> Floats:
    return np.array(counts) / sum(counts)


def grown_by_hand(probs: list[float]) -> list[tuple[int, float]]:
    """Stages in the order in which they join, each with what the set held before."""
    low = high = probs.index(max(probs))
    held, order = probs[low], [(low, 0.0)]
    while high - low + 1 < len(probs):
        sides = [(probs[s], -s) for s in (low - 1, high + 1) if 0 <= s < len(probs)]
        stage = -max(sides)[1]
        order.append((stage, held))
        held += probs[stage]
        low, high = min(low, stage), max(high, stage)
    return order


@lawful
@given(parts)
def test_what_a_set_holds_before_a_stage_is_what_growing_it_by_hand_says(counts: list[int]) -> None:
    probs = probabilities(counts)
    found = mass_before(probs[None])[0].tolist()
    assert found == [held for _, held in sorted(grown_by_hand(probs.tolist()))]


@lawful
@given(st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5).filter(any), min_size=1, max_size=9))
def test_rows_do_not_know_of_one_another(rows: list[list[int]]) -> None:
    probs = np.array([probabilities(row) for row in rows])
    alone = np.concatenate([mass_before(row[None]) for row in probs])
    np.testing.assert_array_equal(mass_before(probs), alone)


@lawful
@given(parts, limits)
def test_a_set_is_every_stage_within_the_threshold_and_contiguous(counts: list[int], limit: float) -> None:
    probs = probabilities(counts)[None]
    low, high = stage_sets(probs, np.array([limit]))
    inside = np.flatnonzero(mass_before(probs)[0] <= limit)
    assert inside.tolist() == list(range(int(low[0]), int(high[0]) + 1))
    assert low[0] <= probs[0].argmax() <= high[0]


@lawful
@given(parts, limits, limits)
def test_a_higher_threshold_never_gives_the_smaller_set(counts: list[int], one: float, other: float) -> None:
    probs = np.stack([probabilities(counts)] * 2)
    low, high = stage_sets(probs, np.array(sorted((one, other))))
    assert low[1] <= low[0] <= high[0] <= high[1]


@lawful
@given(parts, limits)
def test_one_set_alone_is_the_same_as_among_many(counts: list[int], limit: float) -> None:
    probs = probabilities(counts)
    low, high = stage_sets(np.tile(probs, (3, 1)), np.full(3, limit))
    assert (low[1], high[1]) == stage_set(probs.tolist(), limit)


@lawful
@given(parts, limits, st.integers(1, 3))
def test_stages_past_a_scale_s_end_never_join(counts: list[int], limit: float, past: int) -> None:
    probs = probabilities(counts)
    longer = np.concatenate([probs, np.full(past, NO_STAGE)])
    found = [ends[0] for ends in stage_sets(longer[None], np.array([limit]))]
    assert tuple(found) == stage_set(probs.tolist(), limit)


def test_sets_of_many_dimensions_are_those_of_each() -> None:
    probs = np.random.default_rng(1).dirichlet(np.ones(5), size=(40, 3))
    limit = np.random.default_rng(2).random((40, 3))
    low, high = stage_sets(probs, limit)
    for d in range(3):
        own = stage_sets(probs[:, d], limit[:, d])
        np.testing.assert_array_equal((low[:, d], high[:, d]), own)


@pytest.mark.parametrize(
    ("probs", "before"),
    [
        ([0.2, 0.4, 0.2, 0.2], [0.4, 0.0, 0.6, 0.8]),  # the lower neighbour first
        ([0.4, 0.2, 0.4], [0.0, 0.4, 0.6]),  # the lowest of the likeliest
        ([0.25, 0.25, 0.25, 0.25], [0.0, 0.25, 0.5, 0.75]),
        ([0.1, 0.05, 0.5, 0.3, 0.05], [0.85, 0.8, 0.0, 0.5, 0.95]),  # equal again, after a step up
    ],
)
def test_ties_go_to_the_lower_stage(probs: list[float], before: list[float]) -> None:
    np.testing.assert_allclose(mass_before(np.array([probs]))[0], before, atol=1e-12)


def test_each_evidence_group_has_its_own_threshold_from_its_lower_end_on() -> None:
    share = np.array([0.0, 0.49, 0.5, 0.99, 1.0, 7.0, np.inf, np.nan])
    found = group_thresholds(share, (0.0, 0.5, 1.0), (0.9, 0.8, 0.7))
    assert found.tolist() == [0.9, 0.9, 0.8, 0.8, 0.7, 0.7, 0.7, 0.9]


def test_a_set_of_four_of_five_stages_is_thin_and_one_of_three_is_not() -> None:
    low, high = np.array([0, 1, 1]), np.array([4, 4, 3])
    found = verdicts(low, high, 5, np.zeros(3, np.bool_), np.ones(3))
    assert found.tolist() == [THIN, THIN, PLACED]


@pytest.mark.parametrize(
    ("evidence", "thin", "width", "verdict"),
    [
        (float("nan"), True, 5, EVIDENCE_ONLY),  # missing evidence before every reason to be thin
        (0.0, False, 1, THIN),
        (9.0, True, 1, THIN),
        (9.0, False, 4, THIN),
        (9.0, False, 3, PLACED),
    ],
)
def test_verdicts_come_in_their_order(evidence: float, thin: bool, width: int, verdict: int) -> None:
    found = verdicts(np.array([0]), np.array([width - 1]), 5, np.array([thin]), np.array([evidence]))
    assert found.tolist() == [verdict]


RULES = (
    Rule(stages=5, least=(0.0, 0.5), threshold=(0.8, 0.6), needs=(3, 4)),
    None,
    Rule(stages=3, least=(0.0,), threshold=(0.5,), needs=()),
)


def windows(n: int) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Features, evidence by the median, probabilities on three dimensions, too few devices."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, len(FEATURES)))
    x[rng.random(x.shape) < 0.1] = np.nan
    x[:, EVIDENCE] = rng.choice([0.0, 30.0, 49.9, 50.0, 100.0, np.nan], n)
    probs = rng.dirichlet(np.ones(5), size=(n, 3))
    probs[:, 2, :3] = rng.dirichlet(np.ones(3), size=n)
    probs[:, 2, 3:] = NO_STAGE
    return x, x[:, EVIDENCE] / 100, probs, rng.random(n) < 0.2


def assert_same(found: Iterable[NDArray[Any]], expected: Iterable[NDArray[Any]]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_window_alone_is_placed_as_it_is_among_many() -> None:
    x, share, probs, few = windows(300)
    together = Placing(RULES).place(x, share, probs, few)
    for i in range(len(x)):
        own = slice(i, i + 1)
        alone = Placing(RULES).place(x[own], share[own], probs[own], few[own])
        assert_same(alone, [every[own] for every in together])


def test_blocks_of_windows_meet_without_a_seam() -> None:
    x, share, probs, few = windows(9000)
    together = Placing(RULES).place(x, share, probs, few)
    for own in (slice(4000, 4200), slice(8150, 9000)):
        part = Placing(RULES).place(x[own], share[own], probs[own], few[own])
        assert_same(part, [every[own] for every in together])


def test_verdicts_of_windows_follow_from_evidence_needs_devices_and_calibration() -> None:
    x, share, probs, few = windows(300)
    low, high, codes = Placing(RULES).place(x, share, probs, few)
    unknown = np.isnan(x[:, EVIDENCE])
    assert (codes[:, 1] == EVIDENCE_ONLY).all()  # nothing calibrated it
    assert (codes[unknown] == EVIDENCE_ONLY).all()
    for ends in (low, high):
        np.testing.assert_array_equal(ends == NO_SET, codes == EVIDENCE_ONLY)
    lacking = np.isnan(x[:, [3, 4]]).any(axis=1)
    assert (codes[(lacking | few) & ~unknown, 0] == THIN).all()
    assert (codes[(x[:, EVIDENCE] == 0)][:, [0, 2]] == THIN).all()
    sound = ~unknown & ~lacking & ~few & (x[:, EVIDENCE] > 0)
    expected = np.where((high - low)[sound, 0] >= 3, THIN, PLACED)
    np.testing.assert_array_equal(codes[sound, 0], expected)
    assert {PLACED, THIN} == set(expected.tolist())


def test_nothing_to_place_is_no_error() -> None:
    x, share, probs, few = windows(0)
    for found in Placing(RULES).place(x, share, probs, few):
        assert found.shape == (0, 3)
