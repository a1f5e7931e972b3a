"""All that closing a lesson asks of its signals: each block of windows is arranged once for all of it."""

from dataclasses import dataclass

import numpy as np

from models.features.actions import acting_devices, done
from models.features.columns import Bools, Floats, Ints, tally
from models.features.compute import block_facts, blocks, fill, sight, weight_rows
from models.features.inputs import Signals, Windows, check_inputs
from models.features.set1 import FEATURES
from models.features.strip import strips


@dataclass(frozen=True, slots=True)
class Survey:
    """What windows came to; devices are counted inside `[start, end)` of theirs.

    features: float64 [w, 24], those of `compute_features`; devices: seen [w]; acting: those of them of which
    an app reported what was done [w]; strips: one a window, see `models.features.strip`.
    """

    features: Floats
    devices: Ints
    acting: Ints
    strips: list[Floats]


def survey(signals: Signals, windows: Windows, channels: Floats, off_task: Bools) -> Survey:
    """The windows' survey. Arguments, errors and laws are those of `compute_features`."""
    check_inputs(signals, windows, len(channels))
    seen, by_export = sight(windows)
    weights = weight_rows(channels)
    features = np.empty((len(windows), len(FEATURES)))
    devices, acting = np.zeros((2, len(windows)), np.int64)
    found: list[Floats] = []
    for block in blocks(signals, windows):
        rows, ordered = block.rows, block.ordered
        fill(features, rows, block_facts(block, channels, off_task, by_export[rows]))
        devices[rows] = tally(ordered.group_window, ordered.windows)
        acting[rows] = acting_devices(done(ordered))
        found.extend(strips(block, windows.expected[rows], weights))
    features[~seen] = np.nan
    return Survey(features, devices, acting, found)
