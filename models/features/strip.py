"""The strip: what a lesson's expected device-time went to, in five-minute steps."""

from typing import Final

import numpy as np

from models.features.columns import Floats, Ints, sums, tally
from models.features.compute import Block, weight_row_of
from models.features.dwell import MINUTE
from shared.words import CHANNELS, Action

STEP_SECONDS: Final = 300


def strips(block: Block, expected: Ints, rows: Floats) -> list[Floats]:
    """One array float64 [steps, 8] a window: the share of each step's expected device-time by channel.

    Expected device-time is max(expected, devices seen) times the step's seconds; the last step may be
    shorter. Rows sum to at most 1; what is left was not seen. expected: devices of the block's windows [w];
    rows: the `weight_rows` of the catalogue.
    """
    ordered = block.ordered
    signal, minute, dwelt = block.pieces.every()
    steps = -(-block.length // STEP_SECONDS)
    first = np.cumsum(steps) - steps
    at = first.take(ordered.window.take(signal)) + minute * MINUTE // STEP_SECONDS
    row = weight_row_of(ordered, len(rows) - len(Action)).take(signal)
    cells = int(steps.sum())
    dwell = np.stack(
        [sums(at, dwelt * rows[:, i].take(row), cells) for i in range(len(CHANNELS))],
        axis=1,
    )
    owner = np.repeat(np.arange(ordered.windows), steps)
    step = np.arange(cells) - first.take(owner)
    seconds = np.minimum(block.length.take(owner) - step * STEP_SECONDS, STEP_SECONDS)
    devices = tally(ordered.group_window, ordered.windows)
    time = np.maximum(expected, devices).take(owner) * seconds
    share = dwell / np.maximum(time, 1)[:, None]
    # Rounding may carry a full step past 1 by a last bit.
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1.0)
    return np.split(share, first[1:])
