"""What the kernel works on and what it writes: columns, a window's scratch, and the table of facts."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.features.columns import Floats, Ints
from shared.words import CHANNELS, Action

# A signal's place in canonical order as one whole number: second, app, action.
APP_SHIFT: Final = 4
SECOND_SHIFT: Final = 28
APP_MASK: Final = (1 << (SECOND_SHIFT - APP_SHIFT)) - 1
ACTION_MASK: Final = (1 << APP_SHIFT) - 1

KINDS: Final = len(Action)  # rows of channel weights before those of the window's apps
WIDTH: Final = len(CHANNELS)

# Columns of the table of facts.
TOTAL: Final = 0
UNLISTED: Final = 1
DEVICES: Final = 2
SWITCHES: Final = 3
MIRRORED: Final = 4
COEDITING: Final = 5
CHAINING: Final = 6
CONTRIBUTION_BITS: Final = 7
TRANSITION_BITS: Final = 8
APP_BITS: Final = 9
PLAIN_APP_BITS: Final = 10
DEVICE_BITS: Final = 11
SYNCHRONY: Final = 12
CHANNEL: Final = 13
DONE: Final = CHANNEL + WIDTH
COLUMNS: Final = DONE + KINDS


class Columns(NamedTuple):
    """Signals as they come, [n]."""

    window: NDArray[np.int32]
    t: Ints
    device: NDArray[np.uint64]
    app: NDArray[np.int32]
    action: NDArray[np.uint8]
    amount: Floats


class Lines(NamedTuple):
    """Signals inside their windows, by window; amount is empty where none has one.

    until [windows]: where each window's end.
    """

    key: Ints
    device: NDArray[np.uint64]
    amount: Floats
    until: Ints


class Arrivals(NamedTuple):
    """The devices of one window as they come up: code [m], each signal's device by number.

    name, signals and following [devices]: what it is called, how many it has, and where the next one goes;
    slot: a hash table of numbers, -1 where free.
    """

    code: Ints
    name: NDArray[np.uint64]
    signals: Ints
    following: Ints
    slot: NDArray[np.int32]


class Lesson(NamedTuple):
    """One window's signals in canonical order [m], and room to work on one device.

    cell: the window's number of the app; kind: its row of channel weights; first [devices + 1]: where each
    device begins. spare_key and spare_amount are for sorting; alive, tick, mark and area for intervals that
    overlap.
    """

    key: Ints
    amount: Floats
    cell: Ints
    kind: Ints
    end: Floats
    dwell: Floats
    first: Ints
    spare_key: Ints
    spare_amount: Floats
    alive: Ints
    tick: Ints
    mark: Floats
    area: Ints


class Cells(NamedTuple):
    """One window's apps, numbered as they come up in canonical order; `of` [apps] is -1 for the others.

    rows [kinds + cells + 1, 8]: channel weights, those of the actions first, one row to spare; passed: the
    same shape, what followed each kind; pairs [kinds + cells, kinds + cells]: how often one single signal
    followed another; by_kind, by_cell: the window's dwell; held, touched: the apps at hand, of a minute or
    a device; followers [cells, minutes + 1]: how many more devices are on an app than a minute before.
    """

    of: Ints
    app: Ints
    rows: Floats
    passed: Floats
    pairs: NDArray[np.int32]
    by_kind: Floats
    by_cell: Floats
    own: Floats
    held: Floats
    touched: Ints
    followers: NDArray[np.int32]
    active: NDArray[np.int32]
    most: NDArray[np.int32]


class Room(NamedTuple):
    """All scratch of one window; table [64] for transitions, the rest by device and minute."""

    arrivals: Arrivals
    lesson: Lesson
    cells: Cells
    table: Floats
    by_device: Floats
    mirrored: Ints
