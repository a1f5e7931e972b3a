"""Dwell: the canonical order of signals, the interval each occupies, and its seconds minute by minute.

The definition: a signal occupies `[t, t + amount)` if it has an
amount; else from t to its device's next later second that has a signal, at most 300 s, and for the
device's last second at most 60 s. Intervals are clipped to the window. A moment covered by several
signals of one device is shared equally among them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.features.columns import (
    Bools,
    Floats,
    Ints,
    lengths,
    new_runs,
    ranks,
    small_codes,
    spread,
    stable_order,
    sums,
    tally,
)
from models.features.sweep import shared_seconds
from shared.words import Action

MINUTE: Final = 60
LONGEST_WAIT: Final = 300
LAST_WAIT: Final = 60


@dataclass(frozen=True, slots=True)
class Ordered:
    """Signals [n] sorted by window, device, second, app, action, amount; a group is one device of a window.

    second: seconds since the window's start. `group_window` [groups] names each group's window;
    a run is a group's signals of one second: `run` [runs] are the indices where each begins, `run_length`
    [runs] how many signals it has, `run_of` [n] the run of each signal.
    """

    windows: int
    window: Ints
    group: Ints
    second: Ints
    app: Ints
    action: NDArray[np.uint8]
    amount: Floats
    group_window: Ints
    run: Ints
    run_of: Ints
    run_length: Ints

    def __len__(self) -> int:
        return len(self.second)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Dwell cut at the window's minutes [p], by signal: the seconds that `signal` gets inside a minute.

    place: group * minutes + minute, where `minutes` is more than any minute's number. Whole minutes that a
    signal fills alone, between its first and its last, stand apart: `whole_signal` and `whole_place` [q].
    """

    signal: Ints
    place: Ints
    seconds: Floats
    whole_signal: Ints
    whole_place: Ints
    minutes: int

    def dwell(self, signals: int) -> Floats:
        """Seconds of each signal [signals]."""
        return sums(self.signal, self.seconds, signals) + MINUTE * tally(self.whole_signal, signals)

    def every(self) -> tuple[Ints, Ints, Floats]:
        """Signal, minute and seconds of all pieces, whole minutes among them."""
        return (
            np.concatenate([self.signal, self.whole_signal]),
            np.concatenate([self.place, self.whole_place]) % self.minutes,
            np.concatenate([self.seconds, np.full(len(self.whole_place), float(MINUTE))]),
        )


def arrange(
    windows: int,
    window: Ints,
    second: Ints,
    device: NDArray[np.uint64],
    app: Ints,
    action: NDArray[np.uint8],
    amount: Floats,
) -> Ordered:
    """Columns [n] in canonical order; the same signals in another order give the same arrays.

    `window` must not fall.
    """
    code = small_codes(device)
    owner = ranks(window * (int(code.max(initial=0)) + 1) + code)
    in_time = not ((second[1:] < second[:-1]) & (window[1:] == window[:-1])).any()
    order = stable_order(owner) if in_time else stable_order(owner, second)
    owner, second = owner.take(order), second.take(order)
    new = new_runs(owner, second)
    run = np.flatnonzero(new)
    run_length = lengths(run, len(owner))
    order = _ties(order, run, run_length, app, action, amount)
    new_group = new_runs(owner)
    return Ordered(
        windows=windows,
        window=window.take(order),
        group=np.cumsum(new_group) - 1,
        second=second,
        app=app.take(order),
        action=action.take(order),
        amount=amount.take(order),
        group_window=window.take(order[new_group]),
        run=run,
        run_of=np.cumsum(new) - 1,
        run_length=run_length,
    )


def _ties(
    order: Ints, run: Ints, run_length: Ints, app: Ints, action: NDArray[np.uint8], amount: Floats
) -> Ints:
    """The order with the signals of one device and second sorted by app, action and amount."""
    several = np.flatnonzero(run_length > 1)
    if not len(several):
        return order
    place, which = spread(run[several], run_length[several])
    rows = order.take(place)
    if amount.take(rows).any():
        by_amount = np.argsort(amount.take(rows), kind="stable")
        rows, which = rows.take(by_amount), which.take(by_amount)
    within = stable_order(which, app.take(rows) * len(Action) + action.take(rows))
    order = order.copy()
    order[place] = rows.take(within)
    return order


def cut(ordered: Ordered, length: Ints) -> Pieces:
    """Dwell of every signal, minute by minute; `length` [windows] in seconds."""
    end = _ends(ordered, length)
    first = ordered.second // MINUTE
    last = np.maximum(np.ceil(end / MINUTE).astype(np.int64) - 1, first)
    minutes = int(last.max(initial=0)) + 1
    base = ordered.group * minutes
    tangled = _tangled(ordered, end)
    between = np.maximum(last - first - 1, 0)
    between[ordered.run_length.take(ordered.run_of) > 1] = 0
    if tangled is not None:
        between[tangled] = 0
    some = np.flatnonzero(between)
    whole_place, owner = spread((base + first + 1).take(some), between.take(some))

    count = last - first + 1 - between
    place, signal = spread(base + first, count)
    until = np.cumsum(count)
    place[until - 1] = base + last
    # Inside its minute a piece reaches from 0 to 60, but for the first and the last of a signal.
    low, high = np.zeros(len(place)), np.full(len(place), float(MINUTE))
    low[until - count] = ordered.second - first * MINUTE
    high[until - 1] = end - last * MINUTE
    seconds = high - low
    if len(ordered.run) < len(ordered):
        seconds /= ordered.run_length.take(ordered.run_of).take(signal)
    if tangled is not None:
        at = np.flatnonzero(tangled.take(signal))
        seconds[at] = shared_seconds(place.take(at), low.take(at), high.take(at))
    return Pieces(signal, place, seconds, some.take(owner), whole_place, minutes)


def _ends(ordered: Ordered, length: Ints) -> Floats:
    """When each signal's interval ends, in seconds since the window's start, clipped to the window."""
    at, group = ordered.second.take(ordered.run), ordered.group.take(ordered.run)
    wait = np.full(len(at), LAST_WAIT)
    np.copyto(wait[:-1], np.minimum(at[1:] - at[:-1], LONGEST_WAIT), where=group[1:] == group[:-1])
    limit = length.take(ordered.window.take(ordered.run))
    end: Floats = np.minimum(at + wait, limit).astype(np.float64).take(ordered.run_of)
    timed = np.flatnonzero(ordered.amount > 0)
    clip = length.take(ordered.window.take(timed))
    end[timed] = np.minimum(ordered.second.take(timed) + ordered.amount.take(timed), clip)
    return end


def _tangled(ordered: Ordered, end: Floats) -> Bools | None:
    """Signals whose interval overlaps another of their device other than exactly; None when none does.

    Without amounts, signals of one second share one interval and those of different seconds never meet.
    """
    if not ordered.amount.any():
        return None
    latest = end.take(ordered.run)
    uneven = np.zeros(len(latest), np.bool_)
    if len(latest) < len(end):
        np.maximum.at(latest, ordered.run_of, end)
        uneven[ordered.run_of[end < latest.take(ordered.run_of)]] = True
    # Starts are whole seconds, so that rounding ends up changes no comparison with a start.
    stop = np.ceil(latest).astype(np.int64)
    base = ordered.group.take(ordered.run) * (int(stop.max()) + 1)
    reach = np.maximum.accumulate(base + stop)
    joins = np.zeros(len(stop), np.bool_)
    joins[1:] = reach[:-1] > base[1:] + ordered.second.take(ordered.run[1:])
    cluster = np.cumsum(~joins) - 1
    tangled: Bools = uneven | (tally(cluster, 0) > 1).take(cluster)
    return tangled.take(ordered.run_of) if tangled.any() else None
