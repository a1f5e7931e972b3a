"""What features are computed from: signals as columns, and the windows they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.words import Action


@dataclass(frozen=True, slots=True)
class Signals:
    """Signals as columns of equal length [n], in any order.

    window: row of the windows; t: epoch seconds; device: pseudonym; app: catalogue index (0 is
    unlisted); action: `shared.words.Action`; amount: seconds, 0 where unknown.
    """

    window: NDArray[np.int32]
    t: NDArray[np.int64]
    device: NDArray[np.uint64]
    app: NDArray[np.int32]
    action: NDArray[np.uint8]
    amount: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.t)


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows as columns [w]: epoch seconds of start and end, kinds of source, expected devices."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    kinds: Sequence[frozenset[str]]
    expected: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)


def check_lengths(signals: Signals, windows: Windows) -> None:
    """Raises ValueError where columns of one table differ in length."""
    n = len(signals)
    for name in ("window", "device", "app", "action", "amount"):
        if len(getattr(signals, name)) != n:
            raise ValueError(f"column {name} has {len(getattr(signals, name))} rows, t has {n}")
    if not len(windows) == len(windows.end) == len(windows.kinds) == len(windows.expected):
        raise ValueError("the columns of the windows differ in length")


def check_inputs(signals: Signals, windows: Windows, apps: int) -> None:
    """Raises ValueError where columns disagree or point outside `apps` catalogue rows or the windows."""
    check_lengths(signals, windows)
    if not len(signals):
        return
    amount = signals.amount
    for name, good in (
        ("window", signals.window.min() >= 0 and signals.window.max() < len(windows)),
        ("app", signals.app.min() >= 0 and signals.app.max() < apps),
        ("action", signals.action.max() <= max(Action)),
        ("amount", bool(np.isfinite(amount).all()) and amount.min() >= 0),
    ):
        if not good:
            raise ValueError(f"column {name} holds a value out of range")
