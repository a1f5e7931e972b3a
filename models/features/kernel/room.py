"""Scratch for one window at a time, made once for the largest."""

from typing import Final

import numpy as np

from models.features.columns import Ints
from models.features.dwell import MINUTE
from models.features.kernel.jit import maker
from models.features.kernel.layout import KINDS, WIDTH, Arrivals, Cells, Lesson, Lines, Room
from models.features.kernel.order import FEWEST_SLOTS
from shared.words import CHANNEL_INDEX, CHANNEL_OF_ACTION, Action

# -1 for a contact, which takes its app's weights.
_CHANNELS: Final = tuple(
    CHANNEL_INDEX[CHANNEL_OF_ACTION[action]] if action in CHANNEL_OF_ACTION else -1 for action in Action
)


@maker
def make_lines(edges: Ints, begins: Ints, timed: bool) -> Lines:
    """Room for the signals of the largest bell, with amounts if `timed`; `until` is where windows begin."""
    most = 0
    for bell in range(len(begins) - 1):
        most = max(most, edges[begins[bell + 1]] - edges[begins[bell]])
    return Lines(
        key=np.empty(most, np.int64),
        device=np.empty(most, np.uint64),
        amount=np.empty(most if timed else 0, np.float64),
        until=edges[:-1].copy(),
    )


@maker
def make_room(edges: Ints, length: Ints, apps: int) -> Room:
    """Scratch for windows of these edges and lengths in seconds, with a catalogue of `apps` rows."""
    most = minutes = 0
    for w in range(len(length)):
        most, minutes = max(most, edges[w + 1] - edges[w]), max(minutes, -(-length[w] // MINUTE))
    slots = FEWEST_SLOTS
    while slots < 8 * most:
        slots *= 2
    arrivals = Arrivals(
        code=np.empty(most, np.int64),
        name=np.empty(most, np.uint64),
        signals=np.empty(most, np.int64),
        following=np.empty(most, np.int64),
        slot=np.empty(slots, np.int32),
    )
    lesson = Lesson(
        key=np.empty(most, np.int64),
        amount=np.zeros(most, np.float64),
        cell=np.empty(most, np.uint32),
        kind=np.empty(most, np.uint32),
        end=np.empty(most, np.float64),
        dwell=np.empty(most, np.float64),
        first=np.empty(most + 1, np.int64),
        spare_key=np.empty(2 * most, np.int64),
        spare_amount=np.empty(2 * most, np.float64),
        alive=np.empty(most, np.int64),
        tick=np.empty(2 * most, np.int64),
        mark=np.empty(2 * most, np.float64),
        area=np.empty(2 * most, np.int64),
    )
    held = min(most, apps)
    rows = np.zeros((KINDS + held + 1) * WIDTH)
    for action in range(KINDS):
        if _CHANNELS[action] >= 0:
            rows[action * WIDTH + _CHANNELS[action]] = 1.0
    cells = Cells(
        of=np.full(apps, -1),
        app=np.empty(held, np.int64),
        rows=rows,
        passed=np.empty(len(rows), np.float64),
        pairs=np.zeros((KINDS + held) * (KINDS + held), np.int32),
        by_kind=np.empty(KINDS + held, np.float64),
        by_cell=np.empty(held, np.float64),
        own=np.empty(held, np.float64),
        held=np.zeros(held, np.float64),
        touched=np.empty(held, np.uint32),
        followers=np.zeros(held * (minutes + 1), np.int32),
        active=np.empty(minutes, np.int32),
        most=np.empty(minutes, np.int32),
    )
    return Room(
        arrivals=arrivals,
        lesson=lesson,
        cells=cells,
        table=np.empty(WIDTH * WIDTH, np.float64),
        by_device=np.empty(most, np.float64),
        mirrored=np.empty(minutes, np.int64),
    )
