"""Small windows written by hand: a tiny catalogue, and the features of a few signals by name."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.compute import Signals, Windows, compute_features
from models.features.set1 import FEATURES
from shared.words import CHANNELS, Action

START = 1_700_000_000

# By catalogue index; 0 is unlisted.
READER, STUDIO, PLANNER, GAME, EVERYTHING = 1, 2, 3, 4, 5
WEIGHTS: tuple[dict[str, float], ...] = (
    {"other": 1.0},
    {"consume": 1.0},
    {"create": 0.5, "collaborate": 0.5},
    {"plan": 1.0},
    {"other": 1.0},
    dict.fromkeys(CHANNELS, 0.125),
)
APP_CHANNELS = np.array([[row.get(channel, 0.0) for channel in CHANNELS] for row in WEIGHTS])
OFF_TASK = np.array([True, False, False, False, True, False])

Row = tuple[int, int, int, Action, float]  # seconds from the start, device, app, action, amount


def columns(rows: Iterable[Row], *, window: int = 0, start: int = START) -> Signals:
    """Rows of one window as signals."""
    table: list[Any] = list(zip(*rows, strict=True)) or [()] * 5
    return Signals(
        window=np.full(len(table[0]), window, np.int32),
        t=np.array(table[0], np.int64) + start,
        device=np.array(table[1], np.uint64),
        app=np.array(table[2], np.int32),
        action=np.array(table[3], np.uint8),
        amount=np.array(table[4], np.float64),
    )


def windows(count: int = 1, *, seconds: int = 600, kinds: Sequence[str] = ("dnsmasq", "xapi")) -> Windows:
    """`count` windows of the same length, one after another, with 10 expected devices each."""
    start = START + np.arange(count, dtype=np.int64) * seconds
    return Windows(start, start + seconds, [frozenset(kinds)] * count, np.full(count, 10))


def compute(signals: Signals, which: Windows) -> NDArray[np.float64]:
    """Features on the tiny catalogue."""
    return compute_features(signals, which, APP_CHANNELS, OFF_TASK)


def features(
    rows: Iterable[Row], *, seconds: int = 600, kinds: Sequence[str] = ("dnsmasq", "xapi")
) -> dict[str, float]:
    """The features of one window by name."""
    table = compute(columns(rows), windows(seconds=seconds, kinds=kinds))
    return dict(zip(FEATURES, table[0].tolist(), strict=True))
