"""The compiled engine behind `compute_features`: when it can be had, when it pays, and what it finds."""

import importlib.util
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.features.columns import Bools, Floats
from models.features.dwell import MINUTE
from models.features.facts import Facts
from models.features.inputs import Signals, Windows, check_inputs, check_lengths
from models.features.kernel import layout
from shared.words import CHANNELS, Action

# The reference takes four seconds for so many. Loading the kernel takes one, compiling it a quarter of a
# minute, once for a machine and version.
WORTH_LOADING: Final = 10_000_000
# Minutes by apps that the kernel keeps room for: with 500 apps, windows of three weeks.
MOST_ROOM: Final = 1 << 24

_TYPES: Final[dict[str, "np.dtype[Any]"]] = {
    "window": np.dtype(np.int32),
    "t": np.dtype(np.int64),
    "device": np.dtype(np.uint64),
    "app": np.dtype(np.int32),
    "action": np.dtype(np.uint8),
    "amount": np.dtype(np.float64),
}


def worth_while(signals: int) -> bool:
    """Whether the compiled engine is there and worth loading for so many signals.

    Nothing else counts, such as whether it happens to be loaded: the same file gives the same bytes
    whatever a process did before. It is loaded here or nowhere: numba takes a hundred MiB, which a small
    machine may not have.
    """
    return signals >= WORTH_LOADING and importlib.util.find_spec("numba") is not None


def too_long(windows: Windows, apps: int) -> Bools:
    """Which windows [w] are longer than the kernel has room for, with `apps` rows of the catalogue."""
    return (windows.end - windows.start) // MINUTE >= MOST_ROOM // apps


def facts_of(
    signals: Signals, windows: Windows, channels: Floats, off_task: Bools, by_export: Bools
) -> Facts:
    """The facts of windows none of which is too long. Raises ValueError as `check_inputs` does."""
    from models.features.kernel.run import facts_of_windows

    check_lengths(signals, windows)
    if any(getattr(signals, name).dtype != kind for name, kind in _TYPES.items()):
        check_inputs(signals, windows, len(channels))
    length = np.maximum(windows.end - windows.start, 0)
    good, table = facts_of_windows(
        *(_plain(getattr(signals, name), kind) for name, kind in _TYPES.items()),
        _plain(windows.start, np.dtype(np.int64)),
        _plain(length, np.dtype(np.int64)),
        _plain(channels, np.dtype(np.float64)),
        _plain(off_task, np.dtype(np.bool_)),
    )
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


def _plain(column: NDArray[Any], kind: "np.dtype[Any]") -> NDArray[Any]:
    """The column as the kernel takes it, in one piece and of its own type; a copy only where it is not."""
    return np.require(column, kind, ["C_CONTIGUOUS", "ALIGNED"])
