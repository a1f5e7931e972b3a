"""What a window's signals come to: apps, channels, transitions, and the class's commonest app."""

import math
from typing import Final

from models.features.columns import Bools, Floats
from models.features.kernel import layout
from models.features.kernel.jit import aside, jit
from models.features.kernel.layout import (
    ACTION_MASK,
    APP_MASK,
    APP_SHIFT,
    KINDS,
    SECOND_SHIFT,
    WIDTH,
    Cells,
    Lesson,
)
from models.features.synchrony import ENOUGH_DEVICES
from models.features.transitions import MOST_BITS

_TWO_LN2: Final = 2 * math.log(2)


@jit
def number_apps(m: int, channels: Floats, lesson: Lesson, cells: Cells) -> tuple[int, bool]:
    """How many apps a window has, and whether anything was done there but contacts.

    Each of its `m` signals gets its app's cell and its row of weights.
    """
    size, acted = 0, False
    for i in range(m):
        app = (lesson.key[i] >> APP_SHIFT) & APP_MASK
        cell = cells.of[app]
        if cell < 0:
            cell = size
            cells.of[app] = cell
            cells.app[cell] = app
            row = (KINDS + cell) * WIDTH
            for c in range(WIDTH):
                cells.rows[row + c] = channels[app, c]
                cells.passed[row + c] = 0.0
            cells.by_kind[KINDS + cell] = 0.0
            cells.by_cell[cell] = 0.0
            size += 1
        action = lesson.key[i] & ACTION_MASK
        acted |= action > 0
        lesson.cell[i] = cell
        lesson.kind[i] = action if action else KINDS + cell
    cells.passed[: KINDS * WIDTH] = 0.0
    cells.by_kind[:KINDS] = 0.0
    return size, acted


@jit
def corrected(plain: float, occupied: int, behind: int) -> float:
    """Plain bits with the Miller-Madow correction; NaN with no signal behind them."""
    if behind == 0:
        return math.nan
    return plain + max(min(occupied, behind) - 1, 0) / (_TWO_LN2 * behind)


@aside
def plain_bits(values: Floats, size: int) -> tuple[float, float, int]:
    """Sum, plain entropy (NaN where the sum is 0) and occupied cells of the first `size` values."""
    total = 0.0
    for x in range(size):
        total += values[x]
    if not total > 0:
        return 0.0, math.nan, 0
    bits, occupied = 0.0, 0
    for x in range(size):
        if values[x] > 0:
            p = values[x] / total
            bits -= p * math.log2(p)
            occupied += 1
    return total, max(bits, 0.0), occupied


@jit
def apps_of_device(low: int, high: int, acted: bool, lesson: Lesson, cells: Cells) -> tuple[float, float]:
    """A device's dwell and its entropy by app (17); the window's dwell by app and kind grows by it."""
    size = 0
    for i in range(low, high):
        cell, seconds = lesson.cell[i], lesson.dwell[i]
        if acted:
            cells.by_kind[lesson.kind[i]] += seconds
        if seconds > 0:
            if cells.held[cell] == 0:
                cells.touched[size] = cell
                size += 1
            cells.held[cell] += seconds
    for x in range(size):
        cell = cells.touched[x]
        cells.own[x] = cells.held[cell]
        cells.by_cell[cell] += cells.held[cell]
        cells.held[cell] = 0.0
    total, plain, occupied = plain_bits(cells.own, size)
    return total, corrected(plain, occupied, high - low)


@aside
def apps(m: int, size: int, acted: bool, off_task: Bools, cells: Cells, facts: Floats) -> None:
    """Dwell in all, by channel (1-6, 21) and on stray apps (23), and the entropy of apps (16)."""
    total, plain, occupied = plain_bits(cells.by_cell, size)
    facts[layout.TOTAL] = total
    facts[layout.PLAIN_APP_BITS] = plain
    facts[layout.APP_BITS] = corrected(plain, occupied, m)
    if not acted:
        for cell in range(size):
            cells.by_kind[KINDS + cell] = cells.by_cell[cell]
    stray = 0.0
    for cell in range(size):
        if off_task[cells.app[cell]]:
            stray += cells.by_cell[cell]
    facts[layout.UNLISTED] = stray
    for c in range(WIDTH):
        seconds = 0.0
        for kind in range(0 if acted else KINDS, KINDS + size):
            seconds += cells.by_kind[kind] * cells.rows[kind * WIDTH + c]
        facts[layout.CHANNEL + c] = seconds


@jit
def moves_of_device(low: int, high: int, size: int, lesson: Lesson, cells: Cells) -> tuple[int, int]:
    """Transitions of a device, and its switches between apps (22).

    Pairs of single signals are counted by kind; else what follows is added up by the kind it follows. The
    products with the kinds' own weights wait until the window's end. A second of several signals has its mean
    weights in the spare row past those of `size` apps.
    """
    rows, passed, pairs, kinds = cells.rows, cells.passed, cells.pairs, KINDS + size
    spare = kinds * WIDTH
    transitions = switches = 0
    before, i = low, low
    while i < high:
        second = lesson.key[i] >> SECOND_SHIFT
        switches += i > low and lesson.cell[i] != lesson.cell[i - 1]
        j = i + 1
        while j < high and lesson.key[j] >> SECOND_SHIFT == second:
            switches += lesson.cell[j] != lesson.cell[j - 1]
            j += 1
        alone = j == i + 1
        if i > low:
            transitions += 1
            if alone and before == i - 1:
                pairs[lesson.kind[before] * kinds + lesson.kind[i]] += 1
            else:
                now = lesson.kind[i] * WIDTH if alone else spare
                if not alone:
                    _mean(i, j, spare, lesson, rows)
                for x in range(before, i):
                    row = lesson.kind[x] * WIDTH
                    for c in range(WIDTH):
                        passed[row + c] += rows[now + c] / (i - before)
        before, i = i, j
    return transitions, switches


@aside
def _mean(i: int, j: int, spare: int, lesson: Lesson, rows: Floats) -> None:
    """The mean weights of the signals `i` to `j`, into the row at `spare`."""
    rows[spare : spare + WIDTH] = 0.0
    for x in range(i, j):
        row = lesson.kind[x] * WIDTH
        for c in range(WIDTH):
            rows[spare + c] += rows[row + c]
    for c in range(WIDTH):
        rows[spare + c] /= j - i


@aside
def moves(transitions: int, size: int, acted: bool, table: Floats, cells: Cells) -> float:
    """Entropy of the 8 x 8 table of transitions (15); `table` [64] is room for it."""
    table[:] = 0.0
    lowest, kinds = 0 if acted else KINDS, KINDS + size
    for kind in range(lowest, kinds):
        row = kind * WIDTH
        for then in range(lowest, kinds):
            count = cells.pairs[kind * kinds + then]
            if count:
                cells.pairs[kind * kinds + then] = 0
                for c in range(WIDTH):
                    cells.passed[row + c] += count * cells.rows[then * WIDTH + c]
        for a in range(WIDTH):
            if cells.rows[row + a] > 0:
                for b in range(WIDTH):
                    table[a * WIDTH + b] += cells.rows[row + a] * cells.passed[row + b]
    _, plain, occupied = plain_bits(table, WIDTH * WIDTH)
    bits = corrected(plain, occupied, transitions)
    return MOST_BITS if bits > MOST_BITS else bits  # NaN stays


@aside
def synchrony(size: int, minutes: int, cells: Cells) -> float:
    """Mean share of the commonest app, over minutes with enough active devices (18); followers go to 0."""
    active, most, followers = cells.active, cells.most, cells.followers
    active[:minutes] = 0
    most[:minutes] = 0
    for cell in range(size):
        line, on = cell * (minutes + 1), 0
        for minute in range(minutes):
            on += followers[line + minute]
            active[minute] += on
            most[minute] = max(most[minute], on)
        followers[line : line + minutes + 1] = 0
    share, counted = 0.0, 0
    for minute in range(minutes):
        if active[minute] >= ENOUGH_DEVICES:
            share += most[minute] / active[minute]
            counted += 1
    return share / counted if counted else math.nan


@aside
def forget_apps(size: int, cells: Cells) -> None:
    """The numbers of a window's apps, taken back."""
    for cell in range(size):
        cells.of[cells.app[cell]] = -1
