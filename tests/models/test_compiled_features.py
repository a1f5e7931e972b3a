"""The compiled engine of feature set 1: the reference's numbers, whatever comes, in whatever order."""

import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.catalogue.load import load_catalogue
from models.features import compiled
from models.features.compute import Engine, Signals, Windows, compute_features
from models.features.set1 import EVIDENCE, FEATURES
from models.simulator.lessons import Habits, lesson_events, plan_lesson
from models.simulator.reference import as_columns
from shared.words import SOURCE_KINDS, Action
from tests.models.small_windows import APP_CHANNELS, OFF_TASK, READER, START, WEIGHTS, Row, columns, windows

pytest.importorskip("numba")

SECONDS = 400
NAMES = ("window", "t", "device", "app", "action", "amount")
BOTH: tuple[Engine, ...] = ("numpy", "compiled")

amounts = st.sampled_from([0.0, 0.0, 0.0, 1.0, 59.5, 1 / 3, 400.0, 1e-17, 1e300]) | st.floats(
    0, 3600, width=32
)
rows = st.tuples(
    st.integers(-5, SECONDS + 5) | st.integers(0, 12),
    st.integers(0, 6) | st.integers(2**63, 2**63 + 3) | st.integers(0, 2**64 - 1),
    st.integers(0, len(WEIGHTS) - 1),
    st.sampled_from(list(Action)),
    amounts,
)
lessons = st.lists(rows, max_size=40)
kinds = st.frozensets(st.sampled_from(sorted(SOURCE_KINDS)), max_size=3)
lawful = settings(derandomize=True, max_examples=150, deadline=None)


def by(engine: Engine, signals: Signals, which: Windows) -> NDArray[np.float64]:
    return compute_features(signals, which, APP_CHANNELS, OFF_TASK, engine=engine)


def assert_same(one: NDArray[np.float64], other: NDArray[np.float64], tolerance: float = 1e-10) -> None:
    for column, name in enumerate(FEATURES):
        np.testing.assert_allclose(
            one[:, column], other[:, column], rtol=1e-12, atol=tolerance, equal_nan=True, err_msg=name
        )


def taken(signals: Signals, order: NDArray[np.integer]) -> Signals:
    return Signals(*(getattr(signals, name)[order] for name in NAMES))


def joined(parts: Sequence[Signals]) -> Signals:
    return Signals(*(np.concatenate([getattr(part, name) for part in parts]) for name in NAMES))


def several(lists: Sequence[Sequence[Row]]) -> Signals:
    return joined([columns(some, window=i, start=START + i * SECONDS) for i, some in enumerate(lists)])


@lawful
@given(st.lists(st.tuples(lessons, kinds), min_size=1, max_size=4))
def test_both_engines_give_the_same_numbers(told: list[tuple[list[Row], frozenset[str]]]) -> None:
    signals, which = several([lesson for lesson, _ in told]), windows(len(told), seconds=SECONDS)
    which = Windows(which.start, which.end, [of for _, of in told], which.expected)
    assert_same(by("compiled", signals, which), by("numpy", signals, which))


@lawful
@given(st.lists(lessons, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_the_order_of_signals_changes_no_bit(lists: list[list[Row]], random: "np.random.Generator") -> None:
    signals, which = several(lists), windows(len(lists), seconds=SECONDS)
    order = list(range(len(signals)))
    random.shuffle(order)
    shuffled = taken(signals, np.array(order, np.int64))
    np.testing.assert_array_equal(by("compiled", signals, which), by("compiled", shuffled, which))


@lawful
@given(lessons, st.lists(st.integers(0, 3), min_size=40, max_size=40), st.sampled_from(BOTH))
def test_it_matters_not_how_signals_were_split_into_batches(
    lesson: list[Row], batch: list[int], engine: Engine
) -> None:
    signals, which = columns(lesson), windows(seconds=SECONDS)
    number = np.array(batch[: len(lesson)], np.int64)
    batches = [taken(signals, np.flatnonzero(number == i)) for i in range(4)]
    whole = by(engine, signals, which)
    np.testing.assert_array_equal(by(engine, joined(batches), which), whole)
    np.testing.assert_array_equal(by(engine, joined(batches[::-1]), which), whole)


@lawful
@given(st.lists(lessons, min_size=1, max_size=4))
def test_a_window_comes_out_the_same_alone_and_among_others(lists: list[list[Row]]) -> None:
    together = by("compiled", several(lists), windows(len(lists), seconds=SECONDS))
    for i, lesson in enumerate(lists):
        alone = by("compiled", columns(lesson), windows(seconds=SECONDS))
        np.testing.assert_array_equal(together[i], alone[0])


def test_what_is_done_in_one_window_changes_no_bit_of_another() -> None:
    rng = np.random.default_rng(11)
    contacts = [
        (int(t), int(d), int(app), Action.CONTACT, float(amount))
        for t, d, app, amount in zip(
            rng.integers(0, SECONDS, 400),
            rng.integers(0, 20, 400),
            rng.integers(0, 6, 400),
            rng.random(400) * rng.integers(0, 2, 400) * 60,
            strict=True,
        )
    ]
    acts: list[Row] = [(5, 1, 2, Action.CREATE, 1 / 3), (9, 1, 2, Action.PUBLISH, 0.0)]
    together = by("compiled", several([contacts, acts]), windows(2, seconds=SECONDS))
    np.testing.assert_array_equal(together[0], by("compiled", columns(contacts), windows(seconds=SECONDS))[0])


@pytest.mark.parametrize("kind", sorted(SOURCE_KINDS))
def test_simulated_lessons_come_out_the_same_for_every_source(kind: str) -> None:
    catalogue = load_catalogue()
    rng = np.random.default_rng(5)
    told = []
    for i in range(6):
        plan = plan_lesson(rng, Habits.draw(rng, catalogue), subject="Science", grade=4)
        told.append(lesson_events(rng, plan, devices=8 + 4 * i, minutes=45))
    signals, which = as_columns(told, [45] * 6)
    which = Windows(which.start, which.end, [frozenset({kind})] * 6, which.expected)
    one, other = (
        compute_features(signals, which, catalogue.channel_weights(), catalogue.off_task(), engine=engine)
        for engine in BOTH
    )
    assert_same(one, other)


def dense(seed: int, count: int, devices: int, spans: int, seconds: int) -> Signals:
    """Signals of random devices, all sorts of actions and amounts, in no order."""
    rng = np.random.default_rng(seed)
    window = rng.integers(0, spans, count)
    names = rng.integers(0, 2**64, devices, dtype=np.uint64)
    return Signals(
        window=window.astype(np.int32),
        t=START + window * seconds + rng.integers(-20, seconds + 20, count),
        device=names[rng.integers(0, devices, count)],
        app=rng.integers(0, len(WEIGHTS), count).astype(np.int32),
        action=rng.choice([0] * 8 + list(Action), count).astype(np.uint8),
        amount=rng.choice([0.0, 0.0, 0.0, 30.5, 200.0], count),
    )


EDGES = {
    "one device, many signals in a second": columns([(7, 1, i % 6, Action.CONTACT, 0.0) for i in range(300)]),
    "one device backwards": columns([(599 - i, 1, i % 6, Action.CONTACT, 0.0) for i in range(600)]),
    "amounts longer than the window": columns([(i, i % 3, READER, Action.VIEW, 1e18) for i in range(90)]),
    "amounts too short to last": columns([(i, i % 3, READER, Action.VIEW, 5e-324) for i in range(90)]),
    "as many devices as signals": columns([(i % 600, 7919 * i, 1, Action.CREATE, 0.0) for i in range(5000)]),
    "devices at both ends of their numbers": columns(
        [(i, (0, 2**64 - 1, 2**63, 2**63 - 1, 1)[i % 5], i % 6, Action.CONTACT, 0.0) for i in range(200)]
    ),
    "no signal": columns([]),
    "none inside": columns([(-1, 1, 1, Action.CREATE, 5.0), (600, 1, 1, Action.CREATE, 5.0)]),
    "all that can be done": dense(3, 6000, 30, 1, 600),
}


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("of", [("dnsmasq", "xapi"), ("catchon",), ("mdm",), ()])
def test_edges_come_out_the_same(name: str, of: Sequence[str]) -> None:
    which = windows(kinds=of)
    assert_same(by("compiled", EDGES[name], which), by("numpy", EDGES[name], which))


@pytest.mark.parametrize(("spans", "seconds"), [(1, 90_000), (40, 600), (500, 61), (3, 1)])
def test_windows_of_any_length_and_number_come_out_the_same(spans: int, seconds: int) -> None:
    signals, which = dense(spans, 8000, 25, spans, seconds), windows(spans, seconds=seconds)
    assert_same(by("compiled", signals, which), by("numpy", signals, which), 1e-9)


def test_windows_that_end_before_they_begin_and_none_at_all_come_out_the_same() -> None:
    signals = columns([(0, 1, 1, Action.CREATE, 0.0)])
    backwards = Windows(np.array([START + 60]), np.array([START]), [frozenset({"xapi"})], np.array([3]))
    none = Windows(np.zeros(0, np.int64), np.zeros(0, np.int64), [], np.zeros(0, np.int64))
    assert_same(by("compiled", signals, backwards), by("numpy", signals, backwards))
    assert by("compiled", columns([]), none).shape == (0, 24)


def test_a_window_too_long_for_the_kernel_is_left_to_the_reference() -> None:
    day = 86_400
    spans = Windows(
        start=np.array([START, START, START]),
        end=np.array([START + 600, START + 3000 * day, START + 900]),
        kinds=[frozenset({"xapi"})] * 3,
        expected=np.array([5, 5, 5]),
    )
    assert compiled.too_long(spans, len(APP_CHANNELS)).tolist() == [False, True, False]
    signals = dense(2, 3000, 12, 3, 0)
    signals.t[:] += np.random.default_rng(1).integers(0, 800, 3000)
    found, reference = by("compiled", signals, spans), by("numpy", signals, spans)
    assert_same(found, reference)
    np.testing.assert_array_equal(found[1], reference[1])


def test_columns_that_numpy_may_not_write_or_that_lie_apart_are_taken_as_they_are() -> None:
    signals, which = dense(4, 2000, 20, 3, 600), windows(3, seconds=600)
    apart = taken(signals, np.arange(2000).repeat(2))
    strided = Signals(*(getattr(apart, name)[::2] for name in NAMES))
    for name in NAMES:
        getattr(signals, name).flags.writeable = False
    np.testing.assert_array_equal(by("compiled", strided, which), by("compiled", signals, which))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window", -1),
        ("window", 1),
        ("app", -1),
        ("app", len(WEIGHTS)),
        ("action", 15),
        ("amount", -1.0),
        ("amount", float("nan")),
        ("amount", float("inf")),
    ],
)
def test_both_engines_refuse_the_same_columns(name: str, value: float) -> None:
    for engine in BOTH:
        signals = columns([(5, 1, 1, Action.CREATE, 0.0), (6, 1, 1, Action.CREATE, 0.0)])
        getattr(signals, name)[1] = value
        with pytest.raises(ValueError, match=f"column {name} holds a value out of range"):
            by(engine, signals, windows())
        short = Signals(*(getattr(signals, own)[: 1 if own == name else 2] for own in NAMES))
        with pytest.raises(ValueError, match="rows, t has"):
            by(engine, short, windows())


def test_devices_with_one_hash_slot_only_take_longer() -> None:
    # Multiples of 2^60 all fall into few slots of the table.
    rows_of = [(i % 600, (i % 16) << 60, i % 6, Action.CONTACT, 0.0) for i in range(4000)]
    signals, which = columns(rows_of), windows()
    assert_same(by("compiled", signals, which), by("numpy", signals, which))
    assert by("compiled", signals, which)[0, EVIDENCE] > 0


def test_few_signals_never_load_the_compiled_engine() -> None:
    code = """
import sys
from tests.models.small_windows import columns, windows, compute, APP_CHANNELS, OFF_TASK, Action
from models.features.compute import compute_features
signals, which = columns([(0, 1, 1, Action.CONTACT, 0.0)]), windows()
compute_features(signals, which, APP_CHANNELS, OFF_TASK)
compute_features(signals, which, APP_CHANNELS, OFF_TASK, engine="auto")
print("numba" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
