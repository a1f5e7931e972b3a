"""One class in one lesson: from its signals to features and placements. Pure; many windows at once."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_agent.identity.timetable import Lesson
from edge_agent.idle import in_use
from edge_agent.scoring import Scoring
from edge_agent.visibility import Seen, share
from models.catalogue.load import Catalogue
from models.features.compute import Signals, Windows, compute_features, device_counts
from models.features.set1 import FEATURES
from models.features.strip import strips
from shared.records import FeatureRow, Placement
from shared.signals import SignalBatch
from shared.words import CHANNELS, Action

EVIDENCE = FEATURES.index("evidence")


@dataclass(frozen=True, slots=True)
class WindowKey:
    """What names a window: the class's code and the lesson's first second (UTC)."""

    class_code: str
    start: int


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A lesson that is over and wants its features; `seen` is how much of it the sources could see."""

    key: WindowKey
    lesson: Lesson
    expected: int
    seen: Seen


@dataclass(frozen=True, slots=True)
class ClosedWindow:
    """What a window came to. `evidence` in device-minutes, `visibility` a share, `strip` channel shares.

    `seen.seconds` are at most those expected; `acted` are devices of which an app reported what was done.
    coarser: placements by models of a week or a term, which a lesson's own record never carries.
    """

    key: WindowKey
    lesson: Lesson
    devices: int
    expected: int
    evidence: float
    visibility: float
    seen: Seen
    acted: int
    features: FeatureRow
    strip: tuple[dict[str, float], ...]
    placements: tuple[Placement, ...]
    coarser: tuple[Placement, ...]


def close_windows(
    windows: Sequence[OpenWindow],
    batches: Sequence[SignalBatch],
    kinds: frozenset[str],
    catalogue: Catalogue,
    scoring: Scoring,
    idle: Set[int] = frozenset(),
) -> list[ClosedWindow]:
    """Features, strip and placements of every window, in order; signals of no window are left out.

    idle: apps (indices; 0: unlisted) that talk by themselves, see `edge_agent.idle`.
    """
    if not windows:
        return []
    signals = gather(windows, batches, idle)
    table = Windows(
        start=np.array([window.key.start for window in windows], np.int64),
        end=np.array([window.lesson.end for window in windows], np.int64),
        kinds=[kinds] * len(windows),
        expected=np.array([window.expected for window in windows], np.int64),
    )
    channels = catalogue.channel_weights()
    features = compute_features(signals, table, channels, catalogue.off_task())
    devices = device_counts(signals, table)
    acted = acting_devices(signals, len(windows))
    placements = scoring.placements(features, devices.tolist())
    alone = scoring.lesson_models
    return [
        ClosedWindow(
            key=window.key,
            lesson=window.lesson,
            devices=int(devices[i]),
            expected=window.expected,
            evidence=_evidence(features[i]),
            visibility=_visibility(window),
            seen=_capped(window),
            acted=int(acted[i]),
            features={name: _number(value) for name, value in zip(FEATURES, features[i], strict=True)},
            strip=tuple(_step(step) for step in strip),
            placements=tuple(p for p in placements[i] if p.model in alone),
            coarser=tuple(p for p in placements[i] if p.model not in alone),
        )
        for i, (window, strip) in enumerate(zip(windows, strips(signals, table, channels), strict=True))
    ]


def gather(
    windows: Sequence[OpenWindow], batches: Sequence[SignalBatch], idle: Set[int] = frozenset()
) -> Signals:
    """Signals of the windows from batches of any source and order; a contact said twice counts once.

    What apps of `idle` say by themselves is left out.
    """
    by_class: dict[str, list[tuple[int, int, int]]] = {}
    for row, window in enumerate(windows):
        by_class.setdefault(window.key.class_code, []).append((window.key.start, window.lesson.end, row))
    parts = [part for batch in batches for part in _of_batch(batch, by_class)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else None
    if columns is None:
        empty = np.zeros(0, np.int64)
        return Signals(
            empty.astype(np.int32), empty, empty.astype(np.uint64), empty.astype(np.int32),
            empty.astype(np.uint8), empty.astype(np.float64),
        )  # fmt: skip
    signals = Signals(*columns)
    keep = _once(signals)
    signals = Signals(*(column[keep] for column in columns))
    used = in_use(signals, idle)
    if used.all():
        return signals
    return Signals(*(getattr(signals, field.name)[used] for field in fields(Signals)))


def acting_devices(signals: Signals, windows: int) -> NDArray[np.intp]:
    """Devices of each window of which an app reported what was done [w]."""
    acts = signals.action != Action.CONTACT
    pairs = np.unique(np.stack((signals.window[acts].astype(np.uint64), signals.device[acts])), axis=1)
    return np.bincount(pairs[0].astype(np.intp), minlength=windows)


def by_device(signals: Signals) -> dict[int, list[tuple[int, int, int, float]]]:
    """Each device's signals (second, app, action, amount) in canonical order."""
    rows: dict[int, list[tuple[int, int, int, float]]] = {}
    columns = (signals.device, signals.t, signals.app, signals.action, signals.amount)
    for device, t, app, action, amount in zip(*(column.tolist() for column in columns), strict=True):
        rows.setdefault(device, []).append((t, app, action, amount))
    return {device: sorted(found) for device, found in rows.items()}


def _of_batch(
    batch: SignalBatch, by_class: Mapping[str, Sequence[tuple[int, int, int]]]
) -> list[tuple[NDArray[Any], ...]]:
    parts: list[tuple[NDArray[Any], ...]] = []
    for index, code in enumerate(batch.class_codes):
        for start, end, row in by_class.get(code, ()):
            mask = (batch.class_ == index) & (batch.t >= start) & (batch.t < end)
            count = int(mask.sum())
            if count:
                parts.append(
                    (
                        np.full(count, row, np.int32),
                        batch.t[mask].astype(np.int64),
                        batch.device[mask].astype(np.uint64),
                        batch.app[mask].astype(np.int32),
                        batch.action[mask].astype(np.uint8),
                        batch.amount[mask].astype(np.float64),
                    )
                )
    return parts


def _once(signals: Signals) -> NDArray[np.intp]:
    """Rows to keep: every action, and each contact (second, device, app) once whoever saw it."""
    contact = np.flatnonzero(signals.action == Action.CONTACT)
    order = contact[
        np.lexsort(
            (signals.app[contact], signals.device[contact], signals.t[contact], signals.window[contact])
        )
    ]
    same = np.zeros(len(order), bool)
    if len(order) > 1:
        before, after = order[:-1], order[1:]
        same[1:] = (
            (signals.window[before] == signals.window[after])
            & (signals.t[before] == signals.t[after])
            & (signals.device[before] == signals.device[after])
            & (signals.app[before] == signals.app[after])
        )
    others = np.flatnonzero(signals.action != Action.CONTACT)
    return np.sort(np.concatenate((order[~same], others)))


def _evidence(row: NDArray[np.float64]) -> float:
    value = float(row[EVIDENCE])
    return 0.0 if np.isnan(value) else round(value, 6)


def _visibility(window: OpenWindow) -> float:
    return share(window.seen.seconds, window.expected, window.lesson.end - window.key.start)


def _capped(window: OpenWindow) -> Seen:
    # Devices may be there that nobody expected.
    whole = window.expected * (window.lesson.end - window.key.start)
    seconds = min(window.seen.seconds, whole)
    return Seen(seconds, min(window.seen.bypassed, window.expected))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 9)


def _step(step: NDArray[np.float64]) -> dict[str, float]:
    shares = {name: round(float(share), 4) for name, share in zip(CHANNELS, step, strict=True)}
    return {name: share for name, share in shares.items() if share > 0}
