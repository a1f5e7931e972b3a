"""Apps of each window: one numbered cell for every app that a window knows."""

from dataclasses import dataclass

import numpy as np

from models.features import entropy
from models.features.columns import Floats, Ints, ratio, sums, tally
from models.features.dwell import Ordered


@dataclass(frozen=True, slots=True)
class AppCells:
    """One cell [c] for each pair of a window and an app seen in it, by window, then by app.

    of [n]: each signal's cell; window and app [c]; first and size [w]: where a window's cells begin, and
    how many they are.
    """

    of: Ints
    window: Ints
    app: Ints
    first: Ints
    size: Ints


def app_cells(ordered: Ordered, apps: int) -> AppCells:
    """The cells of a block of windows, for a catalogue of `apps` rows."""
    pair = ordered.window * apps + ordered.app
    seen = tally(pair, ordered.windows * apps) > 0
    held = np.flatnonzero(seen)
    size = tally(held // apps, ordered.windows)
    return AppCells(
        of=(np.cumsum(seen) - 1).take(pair),
        window=held // apps,
        app=held % apps,
        first=np.cumsum(size) - size,
        size=size,
    )


def device_entropy(ordered: Ordered, cells: AppCells, dwell: Floats) -> Floats:
    """Entropy of each device's dwell by app, averaged over a window's devices by their dwell; [windows]."""
    groups = len(ordered.group_window)
    size = cells.size.take(ordered.group_window)
    begin = np.cumsum(size) - size
    shift = begin - cells.first.take(ordered.group_window)
    own = sums(shift.take(ordered.group) + cells.of, dwell, int(size.sum()))
    plain, occupied = entropy.of_segments(own, np.repeat(np.arange(groups), size), groups)
    bits = entropy.corrected(plain, occupied, tally(ordered.group, groups))
    held = sums(ordered.group, dwell, groups)
    weighted = np.where(held > 0, held * bits, 0.0)
    return ratio(
        sums(ordered.group_window, weighted, ordered.windows),
        sums(ordered.group_window, held, ordered.windows),
    )
