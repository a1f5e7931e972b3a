"""Feature set 1 of every window, from signals in any order: one row of 24 numbers a window."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.features import actions, compiled, entropy
from models.features.apps import AppCells, app_cells, device_entropy
from models.features.columns import Bools, Floats, Ints, stable_order, sums, tally
from models.features.dwell import MINUTE, Ordered, Pieces, arrange, cut
from models.features.facts import Facts, feature_columns
from models.features.inputs import Signals, Windows, check_inputs
from models.features.set1 import FEATURE_INDEX, FEATURES, usage_only, visible
from models.features.synchrony import synchrony
from models.features.transitions import transition_entropy
from shared.words import CHANNEL_INDEX, CHANNEL_OF_ACTION, CHANNELS, Action

__all__ = ["Signals", "Windows", "compute_features"]

Engine = Literal["auto", "numpy", "compiled"]
T = TypeVar("T", bound=np.generic)

# Blocks of windows that fit a processor's cache are worked on one after another.
_SIGNALS_AT_ONCE: Final = 1 << 15
_WINDOWS_AT_ONCE: Final = 1 << 10

_CHANNEL_OF: Final = np.array([CHANNEL_INDEX[CHANNEL_OF_ACTION.get(action, "other")] for action in Action])


@dataclass(frozen=True, slots=True)
class Block:
    """A run of windows with its signals in order, cut into minutes; `rows` are the windows' numbers."""

    rows: slice
    length: Ints
    ordered: Ordered
    pieces: Pieces
    dwell: Floats


def compute_features(
    signals: Signals, windows: Windows, channels: Floats, off_task: Bools, *, engine: Engine = "numpy"
) -> Floats:
    """Feature set 1, float64 [w, 24], NaN where missing or not visible to the window's kinds of source.

    channels: float64 [apps + 1, 8], a contact's channel weights by catalogue index; off_task: bool
    [apps + 1], which indices count as unlisted or off-task. Signals outside `[start, end)` of their
    window are ignored. The order of signals changes nothing, bit for bit, and neither do the other
    windows computed with one. An entropy with no signal behind it is missing.

    engine: "numpy" is the reference; "compiled" gives the same to about 1e-12, six times as fast, and needs
    numba; "auto" takes it where numba is there and the signals are enough to repay loading it: a second and
    150 MiB, and once for a machine a quarter of a minute to compile it.

    Raises ValueError for columns that disagree, UsageError for an unknown kind of source,
    ModuleNotFoundError where "compiled" is asked for without numba.
    """
    if engine == "compiled" or (engine == "auto" and compiled.worth_while(len(signals))):
        return _compiled(signals, windows, channels, off_task)
    check_inputs(signals, windows, len(channels))
    seen, by_export = sight(windows)
    table = np.empty((len(windows), len(FEATURES)))
    for block in blocks(signals, windows):
        fill(table, block.rows, block_facts(block, channels, off_task, by_export[block.rows]))
    table[~seen] = np.nan
    return table


def _compiled(signals: Signals, windows: Windows, channels: Floats, off_task: Bools) -> Floats:
    """The same by the kernel, but for windows too long for it."""
    table = np.empty((len(windows), len(FEATURES)))
    long = compiled.too_long(windows, len(channels))
    if long.any():
        check_inputs(signals, windows, len(channels))
        table[long] = compute_features(*_part(signals, windows, long), channels, off_task)
        table[~long] = _compiled(*_part(signals, windows, ~long), channels, off_task)
        return table
    seen, by_export = sight(windows)
    fill(table, slice(None), compiled.facts_of(signals, windows, channels, off_task, by_export))
    table[~seen] = np.nan
    return table


def _part(signals: Signals, windows: Windows, part: Bools) -> tuple[Signals, Windows]:
    """Some of the windows, numbered anew, with their signals."""
    rows, at = np.flatnonzero(part), np.flatnonzero(part.take(signals.window))
    number = np.cumsum(part, dtype=np.int32) - np.int32(1)
    own = Signals(
        number.take(signals.window.take(at)),
        signals.t.take(at),
        signals.device.take(at),
        signals.app.take(at),
        signals.action.take(at),
        signals.amount.take(at),
    )
    kinds = [windows.kinds[i] for i in rows.tolist()]
    return own, Windows(windows.start[rows], windows.end[rows], kinds, windows.expected[rows])


def fill(table: Floats, rows: slice, facts: Facts) -> None:
    """Write the features of some windows into the table [w, 24]."""
    for name, column in feature_columns(facts).items():
        table[rows, FEATURE_INDEX[name]] = column


def sight(windows: Windows) -> tuple[Bools, Bools]:
    """What each window can see, bool [w, 24], and whether all it has are exports, bool [w]."""
    known = {kinds: i for i, kinds in enumerate(dict.fromkeys(windows.kinds))}
    which = np.array([known[kinds] for kinds in windows.kinds], np.int64)
    seen = np.array([visible(kinds) for kinds in known], np.bool_).reshape(-1, len(FEATURES))
    by_export = np.array([usage_only(kinds) for kinds in known], np.bool_)
    return seen[which], by_export[which]


def blocks(signals: Signals, windows: Windows) -> Iterator[Block]:
    """The windows in their order, a cache-sized run of them at a time."""
    window, order = signals.window, None
    if (window[1:] < window[:-1]).any():
        order = stable_order(window)
        window = window.take(order)
    length = np.maximum(windows.end - windows.start, 0)
    edges = np.searchsorted(window, np.arange(len(windows) + 1))
    at = 0
    while at < len(windows):
        full = int(np.searchsorted(edges, edges[at] + _SIGNALS_AT_ONCE, side="right")) - 1
        stop = min(max(full, at + 1), at + _WINDOWS_AT_ONCE, len(windows))
        part = slice(int(edges[at]), int(edges[stop]))
        ordered = _arranged(signals, part if order is None else order[part], windows, slice(at, stop))
        pieces = cut(ordered, length[at:stop])
        dwell = pieces.dwell(len(ordered))
        yield Block(slice(at, stop), length[at:stop], ordered, pieces, dwell)
        at = stop


def _arranged(signals: Signals, pick: slice | Ints, windows: Windows, rows: slice) -> Ordered:
    """The picked signals, those outside their windows left out, in canonical order."""
    window = _picked(signals.window, pick).astype(np.int64) - rows.start
    second = _picked(signals.t, pick) - windows.start[rows].take(window)
    inside = (second >= 0) & (second < (windows.end - windows.start)[rows].take(window))
    kept = slice(None) if inside.all() else np.flatnonzero(inside)
    return arrange(
        rows.stop - rows.start,
        window[kept],
        second[kept],
        _picked(signals.device, pick)[kept],
        _picked(signals.app, pick)[kept].astype(np.int64),
        _picked(signals.action, pick)[kept],
        _picked(signals.amount, pick)[kept],
    )


def _picked(column: NDArray[T], pick: slice | Ints) -> NDArray[T]:
    return column[pick] if isinstance(pick, slice) else column.take(pick)


def weight_rows(channels: Floats) -> Floats:
    """Channel weights of every kind of signal: contacts by catalogue index, then one row an action."""
    rows = np.zeros((len(Action), len(CHANNELS)))
    for action, channel in CHANNEL_OF_ACTION.items():
        rows[action, CHANNEL_INDEX[channel]] = 1.0
    return np.concatenate([channels, rows])


def weight_row_of(ordered: Ordered, apps: int) -> Ints:
    """Which of the weight rows each signal takes."""
    if not ordered.action.any():
        return ordered.app
    return np.where(ordered.action == Action.CONTACT, ordered.app, ordered.action.astype(np.int64) + apps)


def block_facts(block: Block, channels: Floats, off_task: Bools, by_export: Bools) -> Facts:
    """What features are made of; channels and off_task as in `compute_features`, by_export as in `sight`."""
    ordered, dwell, w = block.ordered, block.dwell, block.ordered.windows
    cells = app_cells(ordered, len(channels))
    by_app = sums(cells.of, dwell, len(cells.app))
    acts = actions.done(ordered)
    return Facts(
        minutes=-(-block.length // MINUTE),
        total=sums(ordered.window, dwell, w),
        unlisted=sums(cells.window, by_app * off_task.take(cells.app), w),
        by_channel=_dwell_by_channel(ordered, cells, by_app, dwell, channels),
        done=actions.counts(acts),
        devices=tally(ordered.group_window, w),
        coediting=actions.coediting_devices(acts),
        chaining=actions.chaining_devices(acts),
        contribution_entropy=actions.contribution_entropy(acts),
        transition_entropy=transition_entropy(
            ordered, weight_rows(channels), weight_row_of(ordered, len(channels))
        ),
        app_entropy=_app_entropy(ordered, cells, by_app, by_export),
        device_entropy=device_entropy(ordered, cells, dwell),
        synchrony=synchrony(ordered, block.pieces, cells),
        mirrored=actions.mirrored_minutes(acts),
        switches=_switches(ordered),
    )


def _dwell_by_channel(
    ordered: Ordered, cells: AppCells, by_app: Floats, dwell: Floats, channels: Floats
) -> Floats:
    """Seconds on each channel, [w, 8]: a contact by its app's weights, another action by its own."""
    found = np.zeros((ordered.windows, len(CHANNELS)))
    contact = by_app
    if ordered.action.any():
        acted = np.flatnonzero(ordered.action != Action.CONTACT)
        contact = sums(cells.of, np.where(ordered.action == Action.CONTACT, dwell, 0.0), len(by_app))
        channel = _CHANNEL_OF.take(ordered.action.take(acted))
        place = ordered.window.take(acted) * len(CHANNELS) + channel
        found += sums(place, dwell.take(acted), found.size).reshape(found.shape)
    weights = channels.take(cells.app, axis=0)
    for i in range(len(CHANNELS)):
        found[:, i] += sums(cells.window, contact * weights[:, i], ordered.windows)
    return found


def _app_entropy(ordered: Ordered, cells: AppCells, by_app: Floats, by_export: Bools) -> Floats:
    plain, occupied = entropy.of_segments(by_app, cells.window, ordered.windows)
    behind = tally(ordered.window, ordered.windows)
    # An export's rows are not signals: how many stand behind its shares is unknown.
    return np.where(by_export, plain, entropy.corrected(plain, occupied, behind))


def _switches(ordered: Ordered) -> Ints:
    """Adjacent signals of a device, in canonical order, with different apps; [w]."""
    group, app = ordered.group, ordered.app
    changed = np.flatnonzero((app[1:] != app[:-1]) & (group[1:] == group[:-1]))
    return tally(ordered.window.take(changed), ordered.windows)
