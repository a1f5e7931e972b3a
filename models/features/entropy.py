"""Entropy in bits with the Miller-Madow correction, so that few signals do not look like little choice.

H = -sum p log2 p + (m - 1) / (2 N ln 2), with m occupied cells (counted at most N) and N the signals
behind it (Miller 1955). No signal behind it: missing.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.columns import Floats, Ints, sums, tally


def plain_terms(p: Floats) -> Floats:
    """-p log2 p of each p, 0 where p is 0."""
    terms: Floats = -p * np.log2(np.where(p > 0, p, 1.0))
    return terms


def corrected(plain: Floats, occupied: Ints, behind: Ints) -> Floats:
    """Plain entropies, corrected for `occupied` cells and `behind` signals; NaN where `behind` is 0."""
    m = np.minimum(occupied, behind)
    n = np.where(behind > 0, behind, np.nan)
    bits: Floats = plain + np.maximum(m - 1, 0) / (2 * math.log(2) * n)
    return bits


def of_tables(tables: Floats) -> tuple[Floats, Ints]:
    """Plain entropy [n] and occupied cells [n] of tables [n, cells]; NaN where a table is empty."""
    total = tables.sum(axis=1)
    full = np.where(total > 0, total, 1.0)
    plain = plain_terms(tables / full[:, None]).sum(axis=1)
    return np.where(total > 0, plain, np.nan), np.count_nonzero(tables > 0, axis=1)


def of_segments(values: NDArray[Any], segment: Ints, count: int) -> tuple[Floats, Ints]:
    """The same for `count` tables of different sizes laid end to end; `segment` names each cell's table."""
    total = sums(segment, values, count)
    held = np.flatnonzero(values > 0)
    owner = segment.take(held)
    plain = sums(owner, plain_terms(values.take(held) / total.take(owner)), count)
    return np.where(total > 0, plain, np.nan), tally(owner, count)
