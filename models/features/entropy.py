"""Entropy in bits with the Miller-Madow correction, so that few signals do not look like little choice.

H = -sum p log2 p + (m - 1) / (2 N ln 2), with m occupied cells (counted at most N) and N the signals
behind it (Miller 1955). No signal behind it: missing.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.sweep import Floats


def plain_terms(p: Floats) -> Floats:
    """-p log2 p of each p, 0 where p is 0."""
    return -p * np.log2(np.where(p > 0, p, 1.0))


def corrected(plain: Floats, occupied: NDArray[Any], behind: NDArray[Any]) -> Floats:
    """Plain entropies with the correction for `behind` signals and `occupied` cells; NaN where behind is 0."""
    m = np.minimum(occupied, behind)
    with np.errstate(divide="ignore", invalid="ignore"):
        return plain + np.maximum(m - 1, 0) / (2 * math.log(2) * np.where(behind > 0, behind, np.nan))


def of_tables(tables: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Plain entropy [n] and occupied cells [n] of non-negative tables [n, cells]; NaN where a table is empty."""
    total = tables.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        p = tables / np.where(total > 0, total, np.nan)
    plain = plain_terms(np.nan_to_num(p, nan=0.0)).sum(axis=1)
    return np.where(total[:, 0] > 0, plain, np.nan), (tables > 0).sum(axis=1)


def of_segments(values: Floats, segment: NDArray[np.int64], count: int) -> tuple[Floats, NDArray[np.int64]]:
    """The same for `count` tables of different sizes, laid end to end; `segment` names each cell's table."""
    total = np.bincount(segment, values, minlength=count)
    held = values > 0
    p = values[held] / total.take(segment[held])
    plain = np.bincount(segment[held], plain_terms(p), minlength=count)
    return np.where(total > 0, plain, np.nan), np.bincount(segment[held], minlength=count)
