"""The strip: what a lesson's expected device-time went to, in five-minute steps."""

from typing import Final

import numpy as np

from models.features.columns import Floats, sums, tally
from models.features.compute import blocks, weight_row_of, weight_rows
from models.features.dwell import MINUTE
from models.features.inputs import Signals, Windows, check_inputs
from shared.words import CHANNELS

STEP_SECONDS: Final = 300


def strips(signals: Signals, windows: Windows, channels: Floats) -> list[Floats]:
    """One array float64 [steps, 8] a window: the share of each step's expected device-time by channel.

    Expected device-time is max(expected, devices seen) times the step's seconds; the last step may be
    shorter. Rows sum to at most 1; what is left was not seen. `channels` as in `compute_features`.
    """
    check_inputs(signals, windows, len(channels))
    rows = weight_rows(channels)
    found: list[Floats] = []
    for block in blocks(signals, windows):
        ordered = block.ordered
        signal, minute, dwelt = block.pieces.every()
        steps = -(-block.length // STEP_SECONDS)
        first = np.cumsum(steps) - steps
        at = first.take(ordered.window.take(signal)) + minute * MINUTE // STEP_SECONDS
        row = weight_row_of(ordered, len(channels)).take(signal)
        cells = int(steps.sum())
        dwell = np.stack(
            [sums(at, dwelt * rows[:, i].take(row), cells) for i in range(len(CHANNELS))],
            axis=1,
        )
        owner = np.repeat(np.arange(ordered.windows), steps)
        step = np.arange(cells) - first.take(owner)
        seconds = np.minimum(block.length.take(owner) - step * STEP_SECONDS, STEP_SECONDS)
        devices = tally(ordered.group_window, ordered.windows)
        expected = np.maximum(windows.expected[block.rows], devices).take(owner) * seconds
        share = dwell / np.maximum(expected, 1)[:, None]
        # Rounding may carry a full step past 1 by a last bit.
        share /= np.maximum(share.sum(axis=1, keepdims=True), 1.0)
        found.extend(np.split(share, first[1:]))
    return found
