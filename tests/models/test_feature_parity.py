"""Feature set 1 twice: our kernel against one in Polars, written from the definition alone."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.catalogue.load import load_catalogue
from models.features.compute import Signals, Windows, compute_features
from models.features.set1 import FEATURES
from shared.words import SOURCE_KINDS, Action
from tests.models.polars_features import polars_features

Row = tuple[int, int, int, int, int, float]

CATALOGUE = load_catalogue()
CHANNELS, OFF_TASK = CATALOGUE.channel_weights(), CATALOGUE.off_task()
APPS = [0, 1, 2, 3, CATALOGUE.index("padlet"), CATALOGUE.index("book_creator"), CATALOGUE.index("kahoot")]

# Amounts on a grid of half seconds: dwells then never differ by about a microsecond, where a tie is decided
# by rounding and two right implementations may disagree.
rows = st.tuples(
    st.integers(0, 2),
    st.one_of(st.integers(-30, 700), st.integers(0, 20)),
    st.integers(0, 7),
    st.sampled_from(APPS),
    st.sampled_from([Action.CONTACT, *Action]),
    st.one_of(st.just(0.0), st.integers(0, 240).map(lambda n: n / 2)),
)
kinds = st.frozensets(st.sampled_from(sorted(SOURCE_KINDS)), max_size=3)


def ours(signals: list[Row], spans: list[tuple[int, int]], of: list[frozenset[str]]) -> NDArray[np.float64]:
    columns = list(zip(*signals, strict=True)) or [()] * 6
    types = (np.int32, np.int64, np.uint64, np.int32, np.uint8, np.float64)
    table = Signals(*(np.array(column, kind) for column, kind in zip(columns, types, strict=True)))
    start, end = (np.array(side, np.int64) for side in zip(*spans, strict=True))
    return compute_features(table, Windows(start, end, of, np.full(len(of), 25)), CHANNELS, OFF_TASK)


def theirs(signals: list[Row], spans: list[tuple[int, int]], of: list[frozenset[str]]) -> NDArray[np.float64]:
    schema = {
        "window": pl.Int64,
        "t": pl.Int64,
        "device": pl.UInt64,
        "app": pl.Int64,
        "action": pl.Int64,
        "amount": pl.Float64,
    }
    plain = [(w, t, d, a, int(action), amount) for w, t, d, a, action, amount in signals]
    frame = pl.DataFrame(plain, schema=schema, orient="row")
    windows = pl.DataFrame(
        {
            "window": [str(i) for i in range(len(of))],
            "start": [start for start, _ in spans],
            "end": [end for _, end in spans],
            "kinds": [sorted(group) for group in of],
            "expected": [25] * len(of),
        },
        schema_overrides={"kinds": pl.List(pl.String)},
    )
    found = polars_features(frame, windows, CHANNELS, OFF_TASK).select(FEATURES)
    return found.fill_null(float("nan")).to_numpy().astype(np.float64)


def assert_same(one: NDArray[np.float64], other: NDArray[np.float64]) -> None:
    for column, name in enumerate(FEATURES):
        np.testing.assert_allclose(one[:, column], other[:, column], rtol=0, atol=1e-8, err_msg=name)


@settings(derandomize=True, max_examples=250, deadline=None)
@given(st.lists(rows, max_size=60), st.lists(kinds, min_size=3, max_size=3), st.integers(1, 650))
def test_both_give_the_same_numbers_on_any_signals(
    signals: list[Row], of: list[frozenset[str]], length: int
) -> None:
    spans = [(0, length), (5, 5 + length), (0, 600)]
    assert_same(ours(signals, spans, of), theirs(signals, spans, of))


@pytest.mark.parametrize("seed", range(8))
def test_both_give_the_same_numbers_on_whole_lessons(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 4000
    signals = [
        (int(w), int(t), int(d), int(a), int(action), float(amount))
        for w, t, d, a, action, amount in zip(
            rng.integers(0, 3, count),
            rng.integers(-60, 2800, count),
            rng.integers(0, 28, count),
            rng.choice([0, *range(1, 60)], count),
            rng.choice([0] * 20 + list(Action), count),
            rng.choice([0.0] * 8 + [12.5, 90.0], count),
            strict=True,
        )
    ]
    of = [frozenset({"dnsmasq", "xapi"}), frozenset({"dnsmasq"}), frozenset({"xapi"})]
    spans = [(0, 2700)] * 3
    assert_same(ours(signals, spans, of), theirs(signals, spans, of))
