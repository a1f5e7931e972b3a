"""Signals of some classes, from batches of any source: by class and time, a contact said twice once. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.features.columns import Bools, Ints, new_runs
from models.features.inputs import Signals
from shared.signals import SignalBatch
from shared.words import Action

_SECOND, _KEY = np.uint64(32), np.uint64(64)  # bits
_ODD: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))  # any odd numbers do
_TYPES: Final = (np.uint64, np.int64, np.uint64, np.int32, np.uint8, np.float64)

Longs = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class InOrder:
    """Signals as columns [n]; `moment`, the number of a signal's class and then its second, never falls."""

    moment: Longs
    t: Ints
    device: Longs
    app: NDArray[np.int32]
    action: NDArray[np.uint8]
    amount: NDArray[np.float64]

    def at(self, places: Ints, windows: Ints) -> Signals:
        """The signals at these places, each as one of its window."""
        return Signals(
            window=windows.astype(np.int32),
            t=self.t.take(places),
            device=self.device.take(places),
            app=self.app.take(places),
            action=self.action.take(places),
            amount=self.amount.take(places),
        )


def moments(numbers: Sequence[int], seconds: Sequence[int]) -> Longs:
    """What `InOrder.moment` is for classes, by their numbers, at these seconds (UTC)."""
    return np.array(numbers, np.uint64) << _SECOND | np.array(seconds, np.uint64)


def in_order(batches: Sequence[SignalBatch], numbers: Mapping[str, int], first: int, last: int) -> InOrder:
    """Signals in `first <= t < last` of the classes whose codes have numbers: 0, 1, 2 and so on.

    Every action is kept, and each contact (class, second, device, app) once, as the first batch has it.
    """
    nothing = tuple(np.zeros(0, kind) for kind in _TYPES)
    parts = [_wanted(batch, numbers, first, last) for batch in batches]
    number, *columns = (np.concatenate(column) for column in zip(nothing, *parts, strict=True))
    t, device, app, action, _ = columns
    moment = number << _SECOND | t.astype(np.uint64)
    # The room that a class's number leaves tells devices and apps of one second apart, nearly always.
    room = _KEY - _SECOND - np.uint64(len(numbers).bit_length())
    key = moment << room | (device * _ODD[0] ^ app.astype(np.uint64) * _ODD[1]) >> (_KEY - room)
    order = np.argsort(key, kind="stable")
    again = _said_again(key.take(order), order, device, app, action)
    if again is not None:
        order = order[~again]
    return InOrder(*(column.take(order) for column in (moment, *columns)))


def _wanted(
    batch: SignalBatch, numbers: Mapping[str, int], first: int, last: int
) -> tuple[NDArray[Any], ...]:
    """Class numbers and the columns of InOrder, as the batch has them."""
    number = np.array([numbers.get(code, len(numbers)) for code in batch.class_codes], np.uint64)
    number = number.take(batch.class_)
    at = np.flatnonzero((number < len(numbers)) & (batch.t >= first) & (batch.t < last))
    columns = (number, batch.t, batch.device, batch.app, batch.action, batch.amount)
    return tuple(column.take(at) for column in columns)


def _said_again(
    key: Longs, order: Ints, device: Longs, app: NDArray[np.int32], action: NDArray[np.uint8]
) -> Bools | None:
    """Which rows [n] are contacts that were said before; None if none can be. `key` stands in its order."""
    alike = key[1:] == key[:-1]
    if not alike.any():
        return None
    found = np.zeros(len(key), np.bool_)
    found[1:] = alike
    found[:-1] |= alike
    row = np.flatnonzero(found & (action.take(order) == Action.CONTACT))
    at = order.take(row)
    together = np.lexsort((app.take(at), device.take(at), key.take(row)))
    row, at = row.take(together), at.take(together)
    found[:] = False
    found[row[~new_runs(key.take(row), device.take(at), app.take(at))]] = True
    return found
