"""Work on whole columns: sums by key, orders, runs of equal rows, small codes for large identifiers."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_DIGIT_BITS: Final = 16
_NEARLY_DENSE: Final = 4
_ODD: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)  # any odd numbers do


def tally(key: Ints, size: int) -> Ints:
    """How many rows have each key 0..size-1."""
    return np.bincount(key, minlength=size)


def sums(key: Ints, values: NDArray[Any], size: int) -> Floats:
    """Sum of the values of each key 0..size-1."""
    # For no rows numpy answers with whole numbers.
    return np.bincount(key, values, minlength=size).astype(np.float64, copy=False)


def ratio(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """`above / below`, NaN where `below` is 0."""
    found: Floats = np.full(len(below), np.nan)
    np.divide(above, below, out=found, where=below != 0)
    return found


def stable_order(*columns: NDArray[Any]) -> Ints:
    """Indices [n] that sort rows by the columns, the most significant first; ties stay as they were.

    Columns hold non-negative integers. One pass a 16-bit digit: numpy sorts those by radix,
    several times faster than it sorts wider keys.
    """
    order = np.arange(len(columns[0]))
    for column in reversed(columns):
        for digit in _digits(column):
            keys = digit.take(order)
            if (keys[1:] < keys[:-1]).any():
                order = order.take(np.argsort(keys, kind="stable"))
    return order


def _digits(column: NDArray[Any]) -> Iterator[NDArray[np.uint16]]:
    top = int(column.max(initial=0))
    while top:
        yield column.astype(np.uint16)  # keeps the lowest 16 bits
        column = column >> _DIGIT_BITS
        top >>= _DIGIT_BITS


def ranks(values: Ints) -> Ints:
    """The rank [n] of each non-negative value among the distinct values, from 0."""
    if int(values.max(initial=0)) > _NEARLY_DENSE * len(values):
        return small_codes(values.astype(np.uint64))
    return (np.cumsum(np.bincount(values, minlength=1) > 0) - 1).take(values)


def small_codes(values: NDArray[np.uint64]) -> Ints:
    """`ranks` of values of any size.

    A few rounds of hashing find the distinct values, so that only they need sorting; what still
    collides then is sorted too. The table is small beside the values, since most of them repeat.
    """
    bits = min(16, max(8, len(values).bit_length() - 3))
    slots = np.zeros(len(values), np.int64)
    left = np.arange(len(values))
    rest = values
    for turn, odd in enumerate(_ODD):
        slot = ((rest * np.uint64(odd)) >> np.uint64(64 - bits)).astype(np.int64)
        table = np.zeros(1 << bits, np.uint64)
        table[slot] = rest
        lost = table.take(slot) != rest
        slots[left] = slot + (turn << bits)
        left, rest = left[lost], rest[lost]
        if not len(left):
            break
    else:
        slots[left] = np.unique(rest, return_inverse=True)[1] + (len(_ODD) << bits)
    held = np.zeros(int(slots.max(initial=0)) + 1, np.uint64)
    held[slots] = values
    used = np.flatnonzero(np.bincount(slots))
    rank = np.zeros(len(held), np.int64)
    rank[used[np.argsort(held[used])]] = np.arange(len(used))
    return rank.take(slots)


def new_runs(*columns: NDArray[Any]) -> Bools:
    """Whether each row [n] differs from the one before it in some column; the first one always does."""
    first = np.ones(len(columns[0]), np.bool_)
    if len(first):
        np.not_equal(columns[0][1:], columns[0][:-1], out=first[1:])
        for column in columns[1:]:
            first[1:] |= column[1:] != column[:-1]
    return first


def starts_of_runs(*columns: NDArray[Any]) -> Ints:
    """Indices at which a run of rows equal in all columns begins; empty for no rows."""
    return np.flatnonzero(new_runs(*columns))


def lengths(starts: Ints, total: int) -> Ints:
    """Length of each run that begins at `starts`, the last one ending at `total`."""
    return np.diff(starts, append=total)


def spread(first: Ints, count: Ints) -> tuple[Ints, Ints]:
    """The numbers `first, first + 1, ...`, `count` of them for each row, and the row each belongs to."""
    row = np.repeat(np.arange(len(first)), count)
    if len(row) == len(first) and (count == 1).all():
        return first, row
    begin = np.cumsum(count) - count
    return np.arange(len(row)) + np.repeat(first - begin, count), row
