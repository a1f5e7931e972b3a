"""Transitions: how a lesson moves between channels, as an 8 x 8 table a window."""

from typing import Final

import numpy as np

from models.features import entropy
from models.features.columns import Floats, Ints, spread, starts_of_runs, tally
from models.features.dwell import Ordered

_BLOCK: Final = 16
MOST_BITS: Final = 6.0  # 64 cells


def transition_entropy(ordered: Ordered, rows: Floats, row: Ints) -> Floats:
    """Entropy [windows] of the table of transitions; NaN where there is none. Arguments as below."""
    tables, behind = transition_tables(ordered, rows, row)
    plain, occupied = entropy.of_tables(tables)
    return np.minimum(entropy.corrected(plain, occupied, behind), MOST_BITS)


def transition_tables(ordered: Ordered, rows: Floats, row: Ints) -> tuple[Floats, Ints]:
    """Tables [windows, 64] and number of transitions [windows].

    By device, from each second with signals to the next such second: the outer product of the two
    seconds' mean channel weights. `rows` is float64 [kinds, 8], `row` [signals] which of them each
    signal takes.
    """
    rows, kind = _by_second(ordered, rows, row)
    window, group = ordered.window.take(ordered.run), ordered.group.take(ordered.run)
    count = tally(window, ordered.windows)
    devices = tally(ordered.group_window, ordered.windows)
    # Seconds are laid end to end with a row of zeros after each device, each window in whole blocks:
    # a window's table is then a sum of small products of the rows with the rows one further on.
    blocks = -(-(count + devices) // _BLOCK)
    first_block = np.cumsum(blocks) - blocks
    before = np.cumsum(count + devices) - (count + devices)
    slot = np.arange(len(kind)) + group + (first_block * _BLOCK - before).take(window)
    laid = np.full(int(blocks.sum()) * _BLOCK + 1, len(rows) - 1)
    laid[slot] = kind
    line = rows.take(laid, axis=0)
    here, after = line[:-1].reshape(-1, _BLOCK, 8), line[1:].reshape(-1, _BLOCK, 8)
    products = np.matmul(here.transpose(0, 2, 1), after).reshape(-1, 64)
    tables = np.zeros((ordered.windows, 64))
    some = np.flatnonzero(blocks)
    if len(some):
        tables[some] = np.add.reduceat(products, first_block[some])
    return tables, count - devices


def _by_second(ordered: Ordered, rows: Floats, row: Ints) -> tuple[Floats, Ints]:
    """Weight rows, then a mean for each second of several signals, then zeros; and the row of each second."""
    kind = row.take(ordered.run)
    several = np.flatnonzero(ordered.run_length > 1)
    means = np.zeros((0, 8))
    if len(several):
        size = ordered.run_length[several]
        member, which = spread(ordered.run[several], size)
        means = np.add.reduceat(rows.take(row.take(member), axis=0), starts_of_runs(which)) / size[:, None]
        kind[several] = len(rows) + np.arange(len(several))
    return np.concatenate([rows, means, np.zeros((1, 8))]), kind
