"""Synchrony: how far a class is on one app at a time."""

from typing import Final

import numpy as np

from models.features.columns import (
    Floats,
    Ints,
    lengths,
    new_runs,
    ratio,
    stable_order,
    starts_of_runs,
    sums,
    tally,
)
from models.features.dwell import Ordered, Pieces

_EQUAL: Final = 1e-6
_ENOUGH_DEVICES: Final = 5


def synchrony(ordered: Ordered, pieces: Pieces) -> Floats:
    """Mean share [windows] of the active devices on the commonest app, over minutes with 5 or more of them.

    A device is active in a minute in which it has dwell, and its app there is the one with most
    dwell; dwells within 1e-6 s are equal (also to none), and the smaller id wins. NaN without such a minute.
    """
    group, minute, app = _main_apps(ordered, pieces)
    window = ordered.group_window.take(group)
    order = stable_order(window, minute, app)
    window, minute, app = window.take(order), minute.take(order), app.take(order)
    first = starts_of_runs(window, minute, app)
    on_app = lengths(first, len(app))
    window, minute = window.take(first), minute.take(first)
    begin = starts_of_runs(window, minute)
    if not len(begin):
        return np.full(ordered.windows, np.nan)
    active = np.add.reduceat(on_app, begin)
    share = np.maximum.reduceat(on_app, begin) / active
    counts = active >= _ENOUGH_DEVICES
    where = window.take(begin)[counts]
    return ratio(sums(where, share[counts], ordered.windows), tally(where, ordered.windows))


def _main_apps(ordered: Ordered, pieces: Pieces) -> tuple[Ints, Ints, Ints]:
    """Group, minute and main app, one row for each minute in which a device is active."""
    minutes = int(pieces.minute.max(initial=0)) + 1
    place = ordered.group.take(pieces.signal) * minutes + pieces.minute
    app, dwell = ordered.app.take(pieces.signal), pieces.seconds
    if (place[1:] < place[:-1]).any():
        order = stable_order(place)
        place, app, dwell = place.take(order), app.take(order), dwell.take(order)
    place, app, dwell = _merged(place, app, dwell)
    begin = starts_of_runs(place)
    main, most = app.take(begin), dwell.take(begin)
    size = lengths(begin, len(place))
    several = size > 1
    if several.any():
        # Most minutes of a device know one app; only the others need their apps brought together.
        at = np.flatnonzero(np.repeat(several, size))
        place_, app_, dwell_ = place.take(at), app.take(at), dwell.take(at)
        order = stable_order(place_, app_)
        main[several], most[several] = _heaviest(
            *_merged(place_.take(order), app_.take(order), dwell_.take(order))
        )
    active = most > _EQUAL
    found = place.take(begin)[active]
    return found // minutes, found % minutes, main[active]


def _merged(place: Ints, app: Ints, dwell: Floats) -> tuple[Ints, Ints, Floats]:
    """Neighbours of equal place and app as one, their dwell summed."""
    new = new_runs(place, app)
    first = np.flatnonzero(new)
    if len(first) == len(place):
        return place, app, dwell
    return place.take(first), app.take(first), sums(np.cumsum(new) - 1, dwell, 0)


def _heaviest(place: Ints, app: Ints, dwell: Floats) -> tuple[Ints, Floats]:
    """Of each place's apps (in rising order) the first that has the most dwell, or as good as the most."""
    which = np.cumsum(new_runs(place)) - 1
    most = np.zeros(int(which[-1]) + 1)
    np.maximum.at(most, which, dwell)
    nearly = np.flatnonzero(dwell >= most.take(which) - _EQUAL)
    return app.take(nearly.take(starts_of_runs(which.take(nearly)))), most
