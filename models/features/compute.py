"""Feature set 1 of every window, from signals in any order: one row of 24 numbers a window."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.features import actions, entropy
from models.features.columns import Bools, Floats, Ints, ratio, stable_order, sums, tally
from models.features.dwell import MINUTE, Ordered, Pieces, arrange, cut
from models.features.inputs import Signals, Windows, check_inputs
from models.features.set1 import EVIDENCE, FEATURE_INDEX, FEATURES, usage_only, visible
from models.features.synchrony import synchrony
from models.features.transitions import transition_tables
from shared.words import CHANNEL_INDEX, CHANNEL_OF_ACTION, CHANNELS, Action

__all__ = ["Signals", "Windows", "compute_features", "device_counts"]

# Blocks of windows that fit a processor's cache are worked on one after another.
_SIGNALS_AT_ONCE: Final = 1 << 16
_WINDOWS_AT_ONCE: Final = 1 << 10

_TABLE_BITS: Final = 2 * np.log2(len(CHANNELS))

_SHARE_CHANNELS: Final = {
    f"{channel}_share": CHANNEL_INDEX[channel] for channel in CHANNELS if f"{channel}_share" in FEATURE_INDEX
}


@dataclass(frozen=True, slots=True)
class Block:
    """A run of windows with its signals in order, cut into minutes; `rows` are the windows' numbers."""

    rows: slice
    length: Ints
    ordered: Ordered
    pieces: Pieces
    dwell: Floats


def compute_features(signals: Signals, windows: Windows, channels: Floats, off_task: Bools) -> Floats:
    """Feature set 1, float64 [w, 24], NaN where missing or not visible to the window's kinds of source.

    channels: float64 [apps + 1, 8], a contact's channel weights by catalogue index; off_task: bool
    [apps + 1], which indices count as unlisted or off-task. Signals outside `[start, end)` of their
    window are ignored. The order of signals changes nothing, bit for bit, and neither do the other
    windows computed with one. An entropy with no signal behind it is missing. Raises ValueError for
    columns that disagree, UsageError for an unknown kind of source.
    """
    check_inputs(signals, windows, len(channels))
    seen = np.array([visible(kinds) for kinds in windows.kinds]).reshape(-1, len(FEATURES))
    by_export = np.array([usage_only(kinds) for kinds in windows.kinds], np.bool_)
    table = np.empty((len(windows), len(FEATURES)))
    for block in blocks(signals, windows):
        columns = _columns(block, channels, off_task, by_export[block.rows])
        for name, column in columns.items():
            table[block.rows, FEATURE_INDEX[name]] = column
    table[~seen] = np.nan
    return table


def device_counts(signals: Signals, windows: Windows) -> Ints:
    """Distinct devices seen inside each window, int64 [w]."""
    check_inputs(signals, windows, np.iinfo(np.int32).max)
    found = np.zeros(len(windows), np.int64)
    for block in blocks(signals, windows):
        found[block.rows] = _devices(block.ordered)
    return found


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
        dwell = sums(pieces.signal, pieces.seconds, len(ordered))
        yield Block(slice(at, stop), length[at:stop], ordered, pieces, dwell)
        at = stop


def _arranged(signals: Signals, pick: slice | Ints, windows: Windows, rows: slice) -> Ordered:
    """The picked signals, those outside their windows left out, in canonical order."""
    window = signals.window[pick].astype(np.int64) - rows.start
    second = signals.t[pick] - windows.start[rows].take(window)
    inside = (second >= 0) & (second < (windows.end - windows.start)[rows].take(window))
    kept = slice(None) if inside.all() else np.flatnonzero(inside)
    return arrange(
        rows.stop - rows.start,
        window[kept],
        second[kept],
        signals.device[pick][kept],
        signals.app[pick][kept].astype(np.int64),
        signals.action[pick][kept],
        signals.amount[pick][kept],
    )


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


def _columns(block: Block, channels: Floats, off_task: Bools, by_export: Bools) -> dict[str, Floats]:
    ordered, dwell, w = block.ordered, block.dwell, block.ordered.windows
    total = sums(ordered.window, dwell, w)
    devices = _devices(ordered)
    acts = actions.done(ordered)
    done = actions.counts(acts)
    by_channel, transition_entropy = _channel_view(ordered, dwell, channels)
    by_app, app_entropy, choice = _app_view(ordered, dwell, total, len(channels), by_export)
    hours = total / 3600
    minutes = -(-block.length // MINUTE)
    outside = done[:, Action.SHARE_OUTSIDE] + done[:, Action.PUBLISH]
    return {
        **{name: ratio(by_channel[:, i], total) for name, i in _SHARE_CHANNELS.items()},
        "artefact_rate": ratio(done[:, Action.CREATE], hours),
        "revisions_per_artefact": done[:, Action.REVISE] / np.maximum(1, done[:, Action.CREATE]),
        "peer_share_rate": ratio(done[:, Action.SHARE_PEER], hours),
        "coedit_fraction": ratio(actions.coediting_devices(acts), devices),
        "contribution_evenness": actions.contribution_evenness(acts, devices),
        "capture_rate": ratio(done[:, Action.CAPTURE], hours),
        "ar_use": (done[:, Action.AR] > 0).astype(np.float64),
        "chain_fraction": ratio(actions.chaining_devices(acts), devices),
        "transition_entropy": transition_entropy,
        "app_entropy": app_entropy,
        "choice_dispersion": choice,
        "synchrony": synchrony(ordered, block.pieces),
        "mirror_share": ratio(actions.mirrored_minutes(acts), minutes),
        "outside_audience": (outside > 0).astype(np.float64),
        "switch_rate": ratio(_switches(ordered), hours),
        "unlisted_share": ratio((by_app * off_task).sum(axis=1), total),
        FEATURES[EVIDENCE]: total / 60,
    }


def _devices(ordered: Ordered) -> Ints:
    return tally(ordered.group_window, ordered.windows)


def _switches(ordered: Ordered) -> Ints:
    """Adjacent signals of a device, in canonical order, with different apps; [w]."""
    group, app = ordered.group, ordered.app
    changed = np.flatnonzero((app[1:] != app[:-1]) & (group[1:] == group[:-1]))
    return tally(ordered.window.take(changed), ordered.windows)


def _channel_view(ordered: Ordered, dwell: Floats, channels: Floats) -> tuple[Floats, Floats]:
    """Dwell by channel [w, 8] and transition entropy [w]."""
    rows = weight_rows(channels)
    row = weight_row_of(ordered, len(channels))
    cell = ordered.window * len(rows) + row
    held = sums(cell, dwell, ordered.windows * len(rows)).reshape(-1, len(rows))
    by_channel = np.stack([(held * rows[:, i]).sum(axis=1) for i in range(len(CHANNELS))], axis=1)
    tables, behind = transition_tables(ordered, rows, row)
    plain, occupied = entropy.of_tables(tables)
    return by_channel, np.minimum(entropy.corrected(plain, occupied, behind), _TABLE_BITS)


def _app_view(
    ordered: Ordered, dwell: Floats, total: Floats, apps: int, by_export: Bools
) -> tuple[Floats, Floats, Floats]:
    """Dwell by app [w, apps], app entropy [w], choice dispersion [w]."""
    w = ordered.windows
    cell = ordered.window * apps + ordered.app
    by_app = sums(cell, dwell, w * apps).reshape(-1, apps)
    plain, occupied = entropy.of_tables(by_app)
    behind = tally(ordered.window, w)
    # An export's rows are not signals: how many stand behind its shares is unknown.
    app_entropy = np.where(by_export, plain, entropy.corrected(plain, occupied, behind))

    # One cell for each pair of a device and an app of its window.
    here = tally(cell, w * apps).reshape(-1, apps) > 0
    place = (np.cumsum(here, axis=1) - 1).ravel()
    size = here.sum(axis=1).take(ordered.group_window)
    begin = np.cumsum(size) - size
    groups = len(ordered.group_window)
    cells = sums(begin.take(ordered.group) + place.take(cell), dwell, int(size.sum()))
    own_plain, own_occupied = entropy.of_segments(cells, np.repeat(np.arange(groups), size), groups)
    own = entropy.corrected(own_plain, own_occupied, tally(ordered.group, groups))
    held = sums(ordered.group, dwell, groups)
    within = ratio(sums(ordered.group_window, np.where(held > 0, held * own, 0.0), w), total)
    return by_app, app_entropy, np.maximum(app_entropy - within, 0)
