"""Where the compiled engine's time goes: its stages one after another, each run with all that come before."""

from typing import Any, Final

import numba
import numpy as np

from benchmarks.alone import process_seconds
from models.features.kernel.dwell import dwell_of_device
from models.features.kernel.layout import COLUMNS, Columns
from models.features.kernel.order import arrange, bells, line_up, number_devices, survey
from models.features.kernel.room import make_lines, make_room
from models.features.kernel.run import measure
from models.features.kernel.walk import apps, apps_of_device, forget_apps, moves, moves_of_device, number_apps

STAGES: Final = (
    "checks and counts",
    "grouping by window",
    "grouping by device",
    "sorting",
    "dwell and each minute's main app",
    "apps and their entropies",
    "transitions",
    "synchrony and the rest",
)


def nanoseconds(rounds: int, columns: tuple[Any, ...], rows: tuple[Any, ...]) -> dict[str, float]:
    """Nanoseconds a signal by stage, the best of some rounds; columns and rows as the kernel has them."""
    _up_to(0, *columns, *rows)
    until = [
        min(process_seconds(lambda stage=stage: _up_to(stage, *columns, *rows)) for _ in range(rounds))  # type: ignore[misc]
        for stage in range(len(STAGES))
    ]
    each = np.diff(until, prepend=0.0) / len(columns[0]) * 1e9
    return dict(zip(STAGES, each.round(1).tolist(), strict=True))


@numba.njit(error_model="numpy")
def _up_to(  # noqa: C901 - one branch a stage
    stage: int,
    window: Any,
    t: Any,
    device: Any,
    app: Any,
    action: Any,
    amount: Any,
    start: Any,
    length: Any,
    channels: Any,
    off_task: Any,
) -> float:
    table = np.zeros((len(start), COLUMNS))
    edges = np.zeros(len(start) + 1, np.int64)
    first, last = np.empty(len(start), np.int64), np.empty(len(start), np.int64)
    columns = Columns(window, t, device, app, action, amount)
    _, timed = survey(columns, len(channels), edges, first, last)
    if stage == 0:
        return float(edges[-1])
    begins = bells(first, last)
    lines = make_lines(edges, begins, timed)
    room = make_room(edges, length, len(channels))
    lesson, cells = room.lesson, room.cells
    for bell in range(len(begins) - 1):
        shift = edges[begins[bell]]
        line_up(columns, shift, edges[begins[bell + 1]], shift, start, length, lines)
        if stage == 1:
            continue
        for w in range(begins[bell], begins[bell + 1]):
            low, high = edges[w] - shift, lines.until[w] - shift
            devices = number_devices(lines, low, high, room.arrivals)
            if stage > 2:
                arrange(lines, low, high, devices, room.arrivals, lesson)
            if stage == 7:
                measure(high - low, devices, length[w], channels, off_task, room, table[w])
            elif stage > 3:
                size, acted = number_apps(high - low, channels, lesson, cells)
                minutes = -(-length[w] // 60)
                transitions = 0
                for d in range(devices):
                    begin, end = lesson.first[d], lesson.first[d + 1]
                    dwell_of_device(begin, end, length[w], minutes, lesson, cells)
                    if stage > 4:
                        apps_of_device(begin, end, acted, lesson, cells)
                    if stage > 5:
                        transitions += moves_of_device(begin, end, size, lesson, cells)[0]
                if stage > 4:
                    apps(high - low, size, acted, off_task, cells, table[w])
                if stage > 5:
                    table[w, 0] += moves(transitions, size, acted, room.table, cells)
                forget_apps(size, cells)
    return float(table[0, 0])
