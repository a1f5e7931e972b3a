"""Synchrony: how far a class is on one app at a time."""

from typing import Final

import numpy as np

from models.features.apps import AppCells
from models.features.columns import (
    Floats,
    Ints,
    lengths,
    new_runs,
    ranks,
    ratio,
    spread,
    stable_order,
    starts_of_runs,
    sums,
    tally,
)
from models.features.dwell import Ordered, Pieces

EQUAL: Final = 1e-6
ENOUGH_DEVICES: Final = 5
_MOST_CELLS: Final = 8  # for each device-minute; past that, counting by sorting is cheaper


def synchrony(ordered: Ordered, pieces: Pieces, cells: AppCells) -> Floats:
    """Mean share [windows] of the active devices on the commonest app, over minutes with 5 or more of them.

    A device is active in a minute in which it has dwell, and its app there is the one with most
    dwell; dwells within 1e-6 s are equal (also to none), and the smaller id wins. NaN without such a minute.
    """
    group, minute, cell = _main_apps(pieces, cells)
    window = ordered.group_window.take(group)
    minutes = int(minute.max(initial=0)) + 1
    place = ranks(window * minutes + minute)
    active = tally(place, 0)
    enough = active >= ENOUGH_DEVICES
    where = np.zeros(len(active), np.int64)
    where[place] = window
    where, active = where[enough], active[enough]
    kept = np.flatnonzero(enough.take(place))
    rank = (np.cumsum(enough) - 1).take(place.take(kept))
    share = _most_on_one_app(rank, cell.take(kept), where, cells) / active
    return ratio(sums(where, share, ordered.windows), tally(where, ordered.windows))


def _most_on_one_app(rank: Ints, cell: Ints, where: Ints, cells: AppCells) -> Ints:
    """How many devices are on the commonest app of each minute [m]; `where` [m] names its window."""
    most = np.zeros(len(where), np.int64)
    size = cells.size.take(where)
    begin = np.cumsum(size) - size
    if int(size.sum()) <= _MOST_CELLS * len(rank):
        place = (begin - cells.first.take(where)).take(rank) + cell
        on_app, owner = tally(place, int(size.sum())), np.repeat(np.arange(len(where)), size)
    else:
        order = stable_order(rank, cell)
        rank, cell = rank.take(order), cell.take(order)
        first = starts_of_runs(rank, cell)
        on_app, owner = lengths(first, len(rank)), rank.take(first)
    np.maximum.at(most, owner, on_app)
    return most


def _main_apps(pieces: Pieces, cells: AppCells) -> tuple[Ints, Ints, Ints]:
    """Group, minute and the main app's cell, one row for each minute in which a device is active."""
    alone = cells.of.take(pieces.whole_signal)
    place, cell, dwell = pieces.place, cells.of.take(pieces.signal), pieces.seconds
    if (place[1:] < place[:-1]).any():
        order = stable_order(place)
        place, cell, dwell = place.take(order), cell.take(order), dwell.take(order)
    place, cell, dwell = _merged(place, cell, dwell)
    begin = starts_of_runs(place)
    main, most = cell.take(begin), dwell.take(begin)
    size = lengths(begin, len(place))
    several = np.flatnonzero(size > 1)
    if len(several):
        # Most minutes of a device know one app; only the others need their apps brought together.
        at, _ = spread(begin.take(several), size.take(several))
        some, own, seconds = place.take(at), cell.take(at), dwell.take(at)
        order = stable_order(some, own)
        main[several], most[several] = _heaviest(
            *_merged(some.take(order), own.take(order), seconds.take(order))
        )
    if most.min(initial=np.inf) <= EQUAL:
        active = np.flatnonzero(most > EQUAL)
        begin, main = begin.take(active), main.take(active)
    found = np.concatenate([place.take(begin), pieces.whole_place])
    group = found // pieces.minutes
    return group, found - group * pieces.minutes, np.concatenate([main, alone])


def _merged(place: Ints, cell: Ints, dwell: Floats) -> tuple[Ints, Ints, Floats]:
    """Neighbours of equal place and app as one, their dwell summed."""
    new = new_runs(place, cell)
    first = np.flatnonzero(new)
    if len(first) == len(place):
        return place, cell, dwell
    return place.take(first), cell.take(first), sums(np.cumsum(new) - 1, dwell, 0)


def _heaviest(place: Ints, cell: Ints, dwell: Floats) -> tuple[Ints, Floats]:
    """Of each place's apps (in rising order) the first that has the most dwell, or as good as the most."""
    which = np.cumsum(new_runs(place)) - 1
    most = np.zeros(int(which[-1]) + 1)
    np.maximum.at(most, which, dwell)
    nearly = np.flatnonzero(dwell >= most.take(which) - EQUAL)
    return cell.take(nearly.take(starts_of_runs(which.take(nearly)))), most
