"""Signals by window, then by device, second, app, action and amount: the canonical order of a window."""

from typing import Final

import numpy as np

from models.features.columns import Floats, Ints
from models.features.kernel.jit import aside, jit, maker
from models.features.kernel.layout import (
    APP_SHIFT,
    KINDS,
    SECOND_SHIFT,
    Arrivals,
    Columns,
    Lesson,
    Lines,
)

_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_HIGH: Final = np.uint64(1 << 63)
FEWEST_SLOTS: Final = 64
_SHORT: Final = 16


@jit
def survey(columns: Columns, apps: int, edges: Ints, first: Ints, last: Ints) -> tuple[bool, bool]:
    """Whether all is in range, and whether any has an amount.

    edges [windows + 1] become the windows' in a list of signals by window; first and last [windows] where the
    first and the last signal of each stand, `last` before `first` for none.
    """
    good, timed = True, False
    windows, n = len(first), len(columns.window)
    first[:] = n
    last[:] = -1
    for i in range(n):
        w, app, action, amount = columns.window[i], columns.app[i], columns.action[i], columns.amount[i]
        if w < 0 or w >= windows:
            return False, timed
        good &= (app >= 0) & (app < apps) & (action < KINDS) & (amount >= 0) & (amount < np.inf)
        timed |= amount > 0
        edges[w + 1] += 1
        if last[w] < 0:
            first[w] = i
        last[w] = i
    for w in range(windows):
        edges[w + 1] += edges[w]
    return good, timed


@maker
def bells(first: Ints, last: Ints) -> Ints:
    """Where runs of windows begin whose signals stand together, and the end of the last run.

    Lessons of one bell come in mixed: taken bell by bell, they need little room, and it stays at hand.
    """
    windows = len(first)
    begins = np.empty(windows + 1, np.int64)
    rest = first.copy()  # the first signal of a window or any after it
    for w in range(windows - 2, -1, -1):
        rest[w] = min(rest[w], rest[w + 1])
    count, reach = 0, -1
    for w in range(windows):
        if rest[w] > reach:
            begins[count] = w
            count += 1
        reach = max(reach, last[w])
    begins[count] = windows
    return begins[: count + 1]


@jit
def line_up(
    columns: Columns, low: int, high: int, shift: int, start: Ints, length: Ints, lines: Lines
) -> None:
    """Signals `low` to `high` inside their windows, by window, each window's as they came.

    `until` holds where each window begins, and then where it ends; lines begin at `shift`.
    """
    timed = len(lines.amount) > 0
    for i in range(low, high):
        w = columns.window[i]
        second = columns.t[i] - start[w]
        if second < 0 or second >= length[w]:
            continue
        at = lines.until[w] - shift
        lines.until[w] += 1
        app = np.int64(columns.app[i])
        lines.key[at] = (second << SECOND_SHIFT) | (app << APP_SHIFT) | np.int64(columns.action[i])
        lines.device[at] = columns.device[i]
        if timed:
            lines.amount[at] = columns.amount[i]


@jit
def number_devices(lines: Lines, low: int, high: int, found: Arrivals) -> int:
    """How many devices one window has; `found` gets the number of each of its signals' devices."""
    bits = 6
    found.slot[:FEWEST_SLOTS] = -1
    devices = 0
    for i in range(low, high):
        name = lines.device[i]
        at = _slot(name, bits, found)
        code = int(found.slot[at])
        if code < 0:
            code = devices
            found.slot[at] = code
            found.name[code] = name
            found.signals[code] = 0
            devices += 1
            if 2 * devices > 1 << bits:
                bits += 2
                _rehash(devices, bits, found)
        found.signals[code] += 1
        found.code[i - low] = code
    return devices


@jit
def _slot(name: np.uint64, bits: int, found: Arrivals) -> np.int64:
    """Where a device's number stands, or belongs."""
    at = np.int64((name * _ODD) >> np.uint64(64 - bits))
    while found.slot[at] >= 0 and found.name[found.slot[at]] != name:
        at = (at + 1) & ((1 << bits) - 1)
    return at


@aside
def _rehash(devices: int, bits: int, found: Arrivals) -> None:
    found.slot[: 1 << bits] = -1
    for code in range(devices):
        found.slot[_slot(found.name[code], bits, found)] = code


@jit
def arrange(lines: Lines, low: int, high: int, devices: int, found: Arrivals, lesson: Lesson) -> None:
    """One window's signals in canonical order, devices by their names."""
    for code in range(devices):
        lesson.tick[code], lesson.mark[code] = np.int64(found.name[code] ^ _HIGH), code
    sort_span(lesson.tick, lesson.mark, 0, devices, lesson.spare_key, lesson.spare_amount)
    lesson.first[0] = 0
    for place in range(devices):
        code = int(lesson.mark[place])
        found.following[code] = lesson.first[place]
        lesson.first[place + 1] = lesson.first[place] + found.signals[code]
    for i in range(high - low):
        code = found.code[i]
        at = found.following[code]
        found.following[code] = at + 1
        lesson.key[at] = lines.key[low + i]
        if len(lines.amount):
            lesson.amount[at] = lines.amount[low + i]
    for place in range(devices):
        begin, end = lesson.first[place], lesson.first[place + 1]
        sort_span(lesson.key, lesson.amount, begin, end, lesson.spare_key, lesson.spare_amount)


@aside
def sort_span(key: Ints, amount: Floats, low: int, high: int, spare_key: Ints, spare_amount: Floats) -> None:
    """Rows `low` to `high` by key, then by amount: short runs by insertion, then merged."""
    for begin in range(low, high, _SHORT):
        for i in range(begin + 1, min(begin + _SHORT, high)):
            k = key[i]
            if k > key[i - 1] or (k == key[i - 1] and amount[i] >= amount[i - 1]):
                continue
            a, j = amount[i], i
            while j > begin and (key[j - 1] > k or (key[j - 1] == k and amount[j - 1] > a)):
                key[j], amount[j] = key[j - 1], amount[j - 1]
                j -= 1
            key[j], amount[j] = k, a
    width = _SHORT
    while width < high - low:
        for begin in range(low, high - width, 2 * width):
            end = min(begin + 2 * width, high)
            _merge(key, amount, begin, begin + width, end, spare_key, spare_amount)
        width *= 2


@aside
def _merge(
    key: Ints, amount: Floats, low: int, middle: int, high: int, spare_key: Ints, spare_amount: Floats
) -> None:
    """Two sorted neighbours as one; nothing to do where the first ends before the second begins."""
    k, a = key[middle - 1], amount[middle - 1]
    if k < key[middle] or (k == key[middle] and a <= amount[middle]):
        return
    left = middle - low
    for i in range(left):
        spare_key[i], spare_amount[i] = key[low + i], amount[low + i]
    i, j, at = 0, middle, low
    while i < left and j < high:
        k, a = spare_key[i], spare_amount[i]
        if k < key[j] or (k == key[j] and a <= amount[j]):
            key[at], amount[at] = k, a
            i += 1
        else:
            key[at], amount[at] = key[j], amount[j]
            j += 1
        at += 1
    while i < left:
        key[at], amount[at] = spare_key[i], spare_amount[i]
        i += 1
        at += 1
