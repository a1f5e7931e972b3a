"""Dwell of one device's signals, and the app it is on in each minute (features 18 and all that use dwell)."""

import math
from typing import Final

import numpy as np

from models.features.dwell import LAST_WAIT, LONGEST_WAIT, MINUTE
from models.features.kernel.jit import aside, jit
from models.features.kernel.layout import SECOND_SHIFT, Cells, Lesson
from models.features.kernel.order import sort_span
from models.features.sweep import TICKS
from models.features.synchrony import EQUAL

_MINUTE: Final = float(MINUTE)
_NO_APP: Final = np.iinfo(np.int64).max


@jit
def dwell_of_device(low: int, high: int, length: int, minutes: int, lesson: Lesson, cells: Cells) -> None:
    """Dwell of a device's signals `low` to `high`, and one follower more for its main app in each minute.

    Signals that overlap, of one second or through their amounts, are taken together as a cluster; signals
    that follow each other on one app, as a stretch. The minute at hand and how many apps it has so far are
    handed from one to the next.
    """
    key, amount = lesson.key, lesson.amount
    minute = size = 0
    cell, since, until = lesson.cell[low], 0, 0
    i = low
    while i < high:
        begin: int = key[i] >> SECOND_SHIFT
        if amount[i] == 0 and (i + 1 == high or key[i + 1] >> SECOND_SHIFT > begin):
            # Nearly all signals of a resolver's log: nothing beside them, and whole seconds.
            wait = min((key[i + 1] >> SECOND_SHIFT) - begin, LONGEST_WAIT) if i + 1 < high else LAST_WAIT
            stop: int = min(begin + wait, length)
            lesson.dwell[i] = stop - begin
            if lesson.cell[i] != cell or begin != until:
                minute, size = _stretch(cell, since, until, minute, size, minutes, cells)
                cell, since = lesson.cell[i], begin
            until = stop
            i += 1
            continue
        j, end, even = _ends_of_second(i, high, length, lesson)
        while j < high and end > key[j] >> SECOND_SHIFT:
            j, later, _ = _ends_of_second(j, high, length, lesson)
            end, even = max(end, later), False
        minute, size = _stretch(cell, since, until, minute, size, minutes, cells)
        since, until = begin, begin
        if even:
            minute, size = _spend_alike(i, j, minute, size, minutes, lesson, cells)
        else:
            minute, size = _spend_shared(i, j, minute, size, minutes, lesson, cells)
        i = j
    minute, size = _stretch(cell, since, until, minute, size, minutes, cells)
    _settle(minute, size, minutes, cells)


@aside
def _ends_of_second(i: int, high: int, length: int, lesson: Lesson) -> tuple[int, float, bool]:
    """Ends of the signals of one second that begin at `i`: where they stop, the last end, all ends alike."""
    key, amount = lesson.key, lesson.amount
    second = key[i] >> SECOND_SHIFT
    j = i + 1
    while j < high and key[j] >> SECOND_SHIFT == second:
        j += 1
    wait = min((key[j] >> SECOND_SHIFT) - second, LONGEST_WAIT) if j < high else LAST_WAIT
    plain = float(min(second + wait, length))
    latest, even = 0.0, True
    for x in range(i, j):
        end = min(second + amount[x], float(length)) if amount[x] > 0 else plain
        lesson.end[x] = end
        latest = max(latest, end)
        even &= end == lesson.end[i]
    return j, latest, even


@jit
def _stretch(
    cell: int, since: int, until: int, minute: int, size: int, minutes: int, cells: Cells
) -> tuple[int, int]:
    """Time with one app alone. Whole minutes between the first and the last have no other app."""
    if until == since:
        return minute, size
    first, last = since // MINUTE, (until - 1) // MINUTE
    if first != minute:
        _settle(minute, size, minutes, cells)
        size = 0
    if last == first:
        return first, _hold(cell, float(until - since), size, cells)
    _settle(first, _hold(cell, float((first + 1) * MINUTE - since), size, cells), minutes, cells)
    line = cell * (minutes + 1)
    cells.followers[line + first + 1] += 1
    cells.followers[line + last] -= 1
    return last, _hold(cell, float(until - last * MINUTE), 0, cells)


@aside
def _spend_alike(
    i: int, j: int, minute: int, size: int, minutes: int, lesson: Lesson, cells: Cells
) -> tuple[int, int]:
    """Signals with one interval and nothing else in it: each gets the same part of it."""
    begin, end, alike = lesson.key[i] >> SECOND_SHIFT, lesson.end[i], j - i
    lesson.dwell[i:j] = (end - begin) / alike
    first = begin // MINUTE
    last = max(math.ceil(end / _MINUTE) - 1, first)
    for own in range(first, last + 1):
        if own != minute:
            _settle(minute, size, minutes, cells)
            minute, size = own, 0
        seconds = (min(end, float((own + 1) * MINUTE)) - max(begin, own * MINUTE)) / alike
        for x in range(i, j):
            size = _hold(lesson.cell[x], seconds, size, cells)
    return minute, size


@aside
def _spend_shared(
    i: int, j: int, minute: int, size: int, minutes: int, lesson: Lesson, cells: Cells
) -> tuple[int, int]:
    """Signals whose intervals overlap: a moment that several cover is shared equally, minute by minute."""
    lesson.dwell[i:j] = 0.0
    alive, upcoming = 0, i
    own = (lesson.key[i] >> SECOND_SHIFT) // MINUTE
    while True:
        while upcoming < j and (lesson.key[upcoming] >> SECOND_SHIFT) // MINUTE == own:
            lesson.alive[alive] = upcoming
            alive, upcoming = alive + 1, upcoming + 1
        _share_minute(own, alive, lesson)
        if own != minute:
            _settle(minute, size, minutes, cells)
            minute, size = own, 0
        kept = 0
        for x in range(alive):
            signal = lesson.alive[x]
            seconds = (lesson.area[alive + x] - lesson.area[x]) / TICKS
            lesson.dwell[signal] += seconds
            size = _hold(lesson.cell[signal], seconds, size, cells)
            if lesson.end[signal] > (own + 1) * MINUTE:
                lesson.alive[kept] = signal
                kept += 1
        alive = kept
        if alive == 0 and upcoming == j:
            return minute, size
        own += 1


@aside
def _share_minute(minute: int, alive: int, lesson: Lesson) -> None:
    """`area` at the begin and the end of each interval alive: the integral of 1 / how many cover a moment.

    In whole ticks of a clock, as the reference has it, so that no order of adding matters.
    """
    zero = minute * MINUTE
    for x in range(alive):
        signal = lesson.alive[x]
        begin = max((lesson.key[signal] >> SECOND_SHIFT) - zero, 0)
        end = min(lesson.end[signal] - zero, _MINUTE)
        lesson.tick[x], lesson.mark[x] = np.int64(begin * TICKS), x
        lesson.tick[alive + x], lesson.mark[alive + x] = np.int64(end * TICKS), alive + x
    sort_span(lesson.tick, lesson.mark, 0, 2 * alive, lesson.spare_key, lesson.spare_amount)
    covering, area, before = 0, 0, 0
    for e in range(2 * alive):
        if covering > 0:
            area += (lesson.tick[e] - before) // covering
        before = lesson.tick[e]
        x = int(lesson.mark[e])
        lesson.area[x] = area
        covering += 1 if x < alive else -1


@jit
def _hold(cell: int, seconds: float, size: int, cells: Cells) -> int:
    """Seconds more of an app in the minute at hand, which has `size` apps; how many it has now."""
    if seconds > 0:
        if cells.held[cell] == 0:
            cells.touched[size] = cell
            size += 1
        cells.held[cell] += seconds
    return size


@jit
def _settle(minute: int, size: int, minutes: int, cells: Cells) -> None:
    """The minute's main app gets a follower: most dwell, of equals the smaller id; none where it is none."""
    if size == 0:
        return
    main = cells.touched[0]
    most = cells.held[main]
    cells.held[main] = 0.0
    if size == 2:
        # No branch here: which of two apps has more is anyone's guess, and guesses cost more than sums.
        other = cells.touched[1]
        least = max(most, cells.held[other]) - EQUAL
        smaller = cells.app[other] < cells.app[main]
        instead = (cells.held[other] >= least) & ((most < least) | smaller)
        most = max(most, cells.held[other])
        cells.held[other] = 0.0
        main = other if instead else main
    elif size > 2:
        cells.held[main] = most
        main, most = _heaviest(size, cells)
    if most > EQUAL:
        cells.followers[main * (minutes + 1) + minute] += 1
        cells.followers[main * (minutes + 1) + minute + 1] -= 1


@aside
def _heaviest(size: int, cells: Cells) -> tuple[int, float]:
    """The main one of several apps and the most dwell; all are let go."""
    most = 0.0
    for x in range(size):
        most = max(most, cells.held[cells.touched[x]])
    main, smallest = cells.touched[0], _NO_APP
    for x in range(size):
        cell = cells.touched[x]
        if cells.held[cell] >= most - EQUAL and cells.app[cell] < smallest:
            main, smallest = cell, cells.app[cell]
        cells.held[cell] = 0.0
    return main, most
