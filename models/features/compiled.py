"""The compiled engine behind `compute_features`: when it can be had, when it pays, and what it finds."""

import importlib.util
import sys
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.features.columns import Bools, Floats
from models.features.dwell import MINUTE
from models.features.facts import Facts
from models.features.inputs import Signals, Windows, check_inputs
from models.features.kernel import layout
from shared.words import CHANNELS, Action

# Loading numba and the kernel takes as long as the reference takes for about this many signals.
WORTH_LOADING: Final = 4_000_000
_LOADED: Final = "models.features.kernel.run"


def worth_while(signals: int) -> bool:
    """Whether the compiled engine can be had and repays loading for so many signals."""
    if _LOADED in sys.modules:
        return True
    return signals >= WORTH_LOADING and importlib.util.find_spec("numba") is not None


def facts_of(signals: Signals, windows: Windows, channels: Floats, off_task: Bools, by_export: Bools) -> Facts:
    """The facts of all windows, as the reference has them. Raises ValueError as `check_inputs` does."""
    from models.features.kernel.run import engine

    length = np.maximum(windows.end - windows.start, 0)
    columns = (
        _plain(signals.window, np.int32),
        _plain(signals.t, np.int64),
        _plain(signals.device, np.uint64),
        _plain(signals.app, np.int32),
        _plain(signals.action, np.uint8),
        _plain(signals.amount, np.float64),
        _plain(windows.start, np.int64),
        _plain(length, np.int64),
        _plain(channels, np.float64),
        _plain(off_task, np.bool_),
    )
    if len({len(column) for column in columns[:6]}) > 1 or len(windows.start) != len(windows.end):
        check_inputs(signals, windows, len(channels))
    good, table = engine(*columns)
    if not good:
        check_inputs(signals, windows, len(channels))
    return Facts(
        minutes=-(-length // MINUTE),
        total=table[:, layout.TOTAL],
        unlisted=table[:, layout.UNLISTED],
        by_channel=table[:, layout.CHANNEL : layout.CHANNEL + len(CHANNELS)],
        done=table[:, layout.DONE : layout.DONE + len(Action)],
        devices=table[:, layout.DEVICES],
        coediting=table[:, layout.COEDITING],
        chaining=table[:, layout.CHAINING],
        contribution_entropy=table[:, layout.CONTRIBUTION_BITS],
        transition_entropy=table[:, layout.TRANSITION_BITS],
        app_entropy=np.where(by_export, table[:, layout.PLAIN_APP_BITS], table[:, layout.APP_BITS]),
        device_entropy=table[:, layout.DEVICE_BITS],
        synchrony=table[:, layout.SYNCHRONY],
        mirrored=table[:, layout.MIRRORED],
        switches=table[:, layout.SWITCHES],
    )


def _plain(column: NDArray[Any], kind: type[np.generic]) -> NDArray[Any]:
    """The column as the kernel takes it: in one piece, aligned, of its own type; a copy only where it is not."""
    return np.require(column, kind, ["C_CONTIGUOUS", "ALIGNED"])
