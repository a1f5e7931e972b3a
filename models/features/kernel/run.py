"""The compiled engine's one way in: from columns of signals to the facts of every window."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.features.columns import Bools, Floats, Ints
from models.features.dwell import MINUTE
from models.features.kernel import layout
from models.features.kernel.acts import acts
from models.features.kernel.dwell import dwell_of_device
from models.features.kernel.jit import digest_of_sources, entry, jit
from models.features.kernel.layout import COLUMNS, Columns, Room
from models.features.kernel.order import arrange, bells, line_up, number_devices, survey
from models.features.kernel.room import make_lines, make_room
from models.features.kernel.walk import (
    apps,
    apps_of_device,
    forget_apps,
    moves,
    moves_of_device,
    number_apps,
    synchrony,
)

Kernel = Callable[..., tuple[bool, Floats]]

_TYPES: Final = (
    "int32",
    "int64",
    "uint64",
    "int32",
    "uint8",
    "float64",
    "int64",
    "int64",
    "float64",
    "boolean",
)
_SIGNATURE: Final = ", ".join(
    f"Array({name}, {2 if name == 'float64' and at > 5 else 1}, 'C', readonly=True)"
    for at, name in enumerate(_TYPES)
)


@jit
def measure(
    m: int,
    devices: int,
    length: int,
    channels: Floats,
    off_task: Bools,
    room: Room,
    facts: Floats,
) -> None:
    """The facts of one window, from its `m` signals in canonical order."""
    lesson, cells = room.lesson, room.cells
    minutes = -(-length // MINUTE)
    size, acted = number_apps(m, channels, lesson, cells)
    transitions = switches = 0
    weighted = held = 0.0
    for device in range(devices):
        low, high = lesson.first[device], lesson.first[device + 1]
        dwell_of_device(low, high, length, minutes, lesson, cells)
        total, bits = apps_of_device(low, high, acted, lesson, cells)
        if total > 0:
            weighted += total * bits
            held += total
        moved, switched = moves_of_device(low, high, size, lesson, cells)
        transitions += moved
        switches += switched
    facts[layout.DEVICES] = devices
    facts[layout.SWITCHES] = switches
    facts[layout.DEVICE_BITS] = weighted / held if held > 0 else math.nan
    apps(m, size, acted, off_task, cells, facts)
    facts[layout.TRANSITION_BITS] = moves(transitions, size, acted, room.table, cells)
    facts[layout.SYNCHRONY] = synchrony(size, minutes, cells)
    facts[layout.CONTRIBUTION_BITS] = math.nan
    if acted:
        acts(devices, minutes, lesson, room.by_device, room.mirrored, facts)
    forget_apps(size, cells)


def _made(sources: int) -> Kernel:
    """The compiled function; `sources` stands for all it is made of, since numba watches this file alone."""

    @entry(_SIGNATURE)
    def kernel(
        window: NDArray[np.int32],
        t: Ints,
        device: NDArray[np.uint64],
        app: NDArray[np.int32],
        action: NDArray[np.uint8],
        amount: Floats,
        start: Ints,
        length: Ints,
        channels: Floats,
        off_task: Bools,
    ) -> tuple[bool, Floats]:
        table = np.zeros((len(start), COLUMNS))
        edges = np.zeros(len(start) + 1, np.int64)
        columns = Columns(window, t, device, app, action, amount)
        first, last = np.empty(len(start), np.int64), np.empty(len(start), np.int64)
        good, timed = survey(columns, len(channels), edges, first, last)
        if not good or sources < 0:
            return False, table
        begins = bells(first, last)
        lines = make_lines(edges, begins, timed)
        room = make_room(edges, length, len(channels))
        for bell in range(len(begins) - 1):
            shift, rows = edges[begins[bell]], range(begins[bell], begins[bell + 1])
            # Nothing else stands between the signals of a bell.
            line_up(columns, shift, edges[rows.stop], shift, start, length, lines)
            for w in rows:
                low, high = edges[w] - shift, lines.until[w] - shift
                devices = number_devices(lines, low, high, room.arrivals)
                arrange(lines, low, high, devices, room.arrivals, room.lesson)
                measure(high - low, devices, length[w], channels, off_task, room, table[w])
        return True, table

    return kernel


facts_of_windows: Final = _made(digest_of_sources())
