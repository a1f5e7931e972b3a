"""Laws that feature set 1 keeps for any signals."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.features import compute as compute_module
from models.features.compute import Signals, Windows, blocks
from models.features.set1 import EVIDENCE, FEATURE_INDEX, FEATURES
from models.features.survey import Survey, survey
from shared.words import CHANNEL_INDEX, Action
from tests.models import naive_dwell
from tests.models.small_windows import APP_CHANNELS, OFF_TASK, START, WEIGHTS, Row, columns, compute, windows

SECONDS = 400
SHARES = [FEATURE_INDEX[name] for name in (*FEATURES[:6], "plan_share")]

amounts = st.sampled_from([0.0, 0.0, 0.0, 1.0, 59.5, 1 / 3, 400.0]) | st.floats(0, 3600, width=32)
rows = st.tuples(
    st.integers(-5, SECONDS + 5) | st.integers(0, 12),
    st.integers(0, 6) | st.integers(2**63, 2**63 + 3),
    st.integers(0, len(WEIGHTS) - 1),
    st.sampled_from(list(Action)),
    amounts,
)
lessons = st.lists(rows, max_size=40)
lawful = settings(derandomize=True, max_examples=120, deadline=None)


def reordered(signals: Signals, order: NDArray[np.integer]) -> Signals:
    names = ("window", "t", "device", "app", "action", "amount")
    return Signals(*(getattr(signals, name)[order] for name in names))


def joined(parts: list[Signals]) -> Signals:
    names = ("window", "t", "device", "app", "action", "amount")
    return Signals(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def several(lists: list[list[Row]]) -> Signals:
    """Several windows of SECONDS each, one after another."""
    return joined([columns(some, window=i, start=START + i * SECONDS) for i, some in enumerate(lists)])


def surveyed(signals: Signals, which: Windows) -> Survey:
    """The survey on the tiny catalogue."""
    return survey(signals, which, APP_CHANNELS, OFF_TASK)


@lawful
@given(lessons)
def test_each_signal_gets_the_dwell_of_the_definition(lesson: list[Row]) -> None:
    inside = sorted((t, d, app, action, amount) for t, d, app, action, amount in lesson if 0 <= t < SECONDS)
    expected = naive_dwell.dwell([(t, d, amount) for t, d, _, _, amount in inside], SECONDS)
    (block,) = blocks(columns(lesson), windows(seconds=SECONDS))
    found = block.ordered
    # The canonical order is by device first; within a device it is that of the rows.
    by_device = sorted(range(len(inside)), key=lambda i: (inside[i][1], i))
    assert found.second.tolist() == [inside[i][0] for i in by_device]
    assert found.app.tolist() == [inside[i][2] for i in by_device]
    np.testing.assert_allclose(block.dwell, [float(expected[i]) for i in by_device], atol=1e-9)


@lawful
@given(lessons, st.randoms(use_true_random=False))
def test_the_order_of_signals_changes_no_bit(lesson: list[Row], random: "np.random.Generator") -> None:
    signals = columns(lesson)
    order = list(range(len(lesson)))
    random.shuffle(order)
    shuffled = reordered(signals, np.array(order, np.int64))
    which = windows(seconds=SECONDS)
    np.testing.assert_array_equal(compute(signals, which), compute(shuffled, which))


@lawful
@given(st.lists(lessons, min_size=1, max_size=4))
def test_a_window_comes_out_the_same_alone_and_among_others(lists: list[list[Row]]) -> None:
    which = windows(len(lists), seconds=SECONDS)
    together = compute(several(lists), which)
    for i, lesson in enumerate(lists):
        alone = compute(columns(lesson), windows(seconds=SECONDS))
        np.testing.assert_array_equal(together[i], alone[0])


def test_windows_past_one_block_come_out_the_same() -> None:
    rng = np.random.default_rng(7)
    n, count = compute_module._SIGNALS_AT_ONCE * 2, 300
    window = rng.integers(0, count, n)
    signals = Signals(
        window=window.astype(np.int32),
        t=START + window * SECONDS + rng.integers(0, SECONDS, n),
        device=rng.integers(0, 12, n).astype(np.uint64),
        app=rng.integers(0, len(WEIGHTS), n).astype(np.int32),
        action=np.zeros(n, np.uint8),
        amount=np.zeros(n),
    )
    found = compute(signals, windows(count, seconds=SECONDS))
    for i in (0, 149, 150, 299):
        own = reordered(signals, np.flatnonzero(window == i))
        own.window[:] = 0
        own.t[:] -= i * SECONDS
        np.testing.assert_array_equal(found[i], compute(own, windows(seconds=SECONDS))[0])


@lawful
@given(lessons)
def test_shares_sum_to_one_unless_some_dwell_is_other(lesson: list[Row]) -> None:
    x = compute(columns(lesson), windows(seconds=SECONDS))[0]
    if x[EVIDENCE] > 0:
        shares = x[SHARES]
        assert (shares >= 0).all()
        assert shares.sum() <= 1 + 1e-9
    others = (*APP_CHANNELS[:, CHANNEL_INDEX["other"]],)
    contacts_only = [
        (t, d, app, Action.CONTACT, amount) for t, d, app, _, amount in lesson if others[app] == 0
    ]
    y = compute(columns(contacts_only), windows(seconds=SECONDS))[0]
    if y[EVIDENCE] > 0:
        assert abs(y[SHARES].sum() - 1) < 1e-9


@lawful
@given(lessons)
def test_devices_never_dwell_longer_than_the_window(lesson: list[Row]) -> None:
    signals, which = columns(lesson), windows(seconds=SECONDS)
    found = surveyed(signals, which)
    (devices,) = found.devices
    assert devices == len({d for t, d, *_ in lesson if 0 <= t < SECONDS})
    assert found.features[0, EVIDENCE] <= devices * SECONDS / 60 + 1e-9


@lawful
@given(st.lists(lessons, min_size=1, max_size=4))
def test_a_survey_has_the_features_bit_for_bit_and_counts_who_was_there_and_who_acted(
    lists: list[list[Row]],
) -> None:
    signals, which = several(lists), windows(len(lists), seconds=SECONDS)
    found = surveyed(signals, which)
    np.testing.assert_array_equal(found.features, compute(signals, which))
    inside = [[(d, action) for t, d, _, action, _ in some if 0 <= t < SECONDS] for some in lists]
    assert found.devices.tolist() == [len({d for d, _ in some}) for some in inside]
    assert found.acting.tolist() == [
        len({d for d, action in some if action != Action.CONTACT}) for some in inside
    ]
    assert len(found.strips) == len(lists)


@lawful
@given(lessons)
def test_a_second_source_of_the_same_facts_adds_no_dwell(lesson: list[Row]) -> None:
    once, which = columns(lesson), windows(seconds=SECONDS)
    twice = joined([once, once])
    first, second = compute(once, which)[0], compute(twice, which)[0]
    for name in ("evidence", "create_share", "unlisted_share", "synchrony", "coedit_fraction"):
        i = FEATURE_INDEX[name]
        np.testing.assert_allclose(second[i], first[i], atol=1e-9)


@lawful
@given(lessons)
def test_every_feature_stays_in_its_range(lesson: list[Row]) -> None:
    x = compute(columns(lesson), windows(seconds=SECONDS))[0]
    assert not np.isinf(x).any()
    assert not (x < 0).any()
    fractions = ("coedit_fraction", "contribution_evenness", "chain_fraction", "synchrony", "mirror_share")
    for name in (*fractions, "unlisted_share"):
        assert not x[FEATURE_INDEX[name]] > 1 + 1e-9
    assert not x[FEATURE_INDEX["transition_entropy"]] > 6
    assert not x[FEATURE_INDEX["choice_dispersion"]] > x[FEATURE_INDEX["app_entropy"]] + 1e-9


@lawful
@given(lessons, st.integers(0, 9))
def test_a_strip_holds_all_dwell_and_never_more_than_there_was_time(lesson: list[Row], expected: int) -> None:
    signals, which = columns(lesson), windows(seconds=SECONDS)
    which.expected[:] = expected
    found = surveyed(signals, which)
    (strip,) = found.strips
    assert strip.shape == (2, 8)
    assert (strip >= 0).all()
    assert (strip.sum(axis=1) <= 1 + 1e-12).all()
    time = max(expected, found.devices[0]) * np.array([300, SECONDS - 300])
    np.testing.assert_allclose((strip.sum(axis=1) * time).sum() / 60, found.features[0, EVIDENCE], atol=1e-9)


def test_the_strip_shows_when_each_channel_was_used() -> None:
    # Two devices of four expected: one reads for the first minute, one plans across the fifth.
    rows = [(0, 1, 1, Action.CONTACT, 0.0), (280, 2, 3, Action.CONTACT, 60.0)]
    which = windows(seconds=SECONDS)
    which.expected[:] = 4
    (strip,) = surveyed(columns(rows), which).strips
    assert strip[0, CHANNEL_INDEX["consume"]] == 60 / (4 * 300)
    assert strip[0, CHANNEL_INDEX["plan"]] == 20 / (4 * 300)
    assert strip[1, CHANNEL_INDEX["plan"]] == 40 / (4 * 100)
