"""One class in one lesson: from its signals to features and placements. Pure; many windows at once."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, fields
from math import isnan

import numpy as np

from edge_agent.identity.timetable import Lesson
from edge_agent.idle.nights import in_use
from edge_agent.lessons.in_order import in_order, moments
from edge_agent.lessons.scoring import Scoring
from edge_agent.sight.visibility import Seen, share
from models.catalogue.load import Catalogue
from models.features.columns import spread
from models.features.inputs import Signals, Windows
from models.features.set1 import FEATURES
from models.features.survey import survey
from shared.records import FeatureRow, Placement
from shared.signals import SignalBatch
from shared.words import CHANNELS

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

    idle: apps (indices; 0: unlisted) that talk by themselves, see `edge_agent.idle.nights`.
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
    found = survey(signals, table, catalogue.channel_weights(), catalogue.off_task())
    devices = found.devices.tolist()
    placements = scoring.placements(found.features, devices)
    alone = scoring.lesson_models
    columns = found.features.tolist(), found.strips, devices, found.acting.tolist(), placements
    return [
        ClosedWindow(
            key=window.key,
            lesson=window.lesson,
            devices=count,
            expected=window.expected,
            evidence=_evidence(row[EVIDENCE]),
            visibility=_visibility(window),
            seen=_capped(window),
            acted=acted,
            features={name: _number(value) for name, value in zip(FEATURES, row, strict=True)},
            strip=tuple(map(_step, strip.tolist())),
            placements=tuple(p for p in placed if p.model in alone),
            coarser=tuple(p for p in placed if p.model not in alone),
        )
        for window, row, strip, count, acted, placed in zip(windows, *columns, strict=True)
    ]


def gather(
    windows: Sequence[OpenWindow], batches: Sequence[SignalBatch], idle: Set[int] = frozenset()
) -> Signals:
    """Signals of the windows, in their order and by time, from batches of any source and order.

    A contact said twice counts once; what apps of `idle` say by themselves is left out.
    """
    codes = [window.key.class_code for window in windows]
    starts, ends = [window.key.start for window in windows], [window.lesson.end for window in windows]
    numbers = {code: number for number, code in enumerate(dict.fromkeys(codes))}
    found = in_order(batches, numbers, min(starts), max(ends))
    number = [numbers[code] for code in codes]
    first = np.searchsorted(found.moment, moments(number, starts))
    beyond = np.searchsorted(found.moment, moments(number, ends))
    at, row = spread(first, np.maximum(beyond - first, 0))
    signals = found.at(at, row)
    used = in_use(signals, idle)
    if used.all():
        return signals
    return Signals(*(getattr(signals, field.name)[used] for field in fields(Signals)))


def by_device(signals: Signals) -> dict[int, list[tuple[int, int, int, float]]]:
    """Each device's signals (second, app, action, amount) in canonical order."""
    rows: dict[int, list[tuple[int, int, int, float]]] = {}
    columns = (signals.device, signals.t, signals.app, signals.action, signals.amount)
    for device, t, app, action, amount in zip(*(column.tolist() for column in columns), strict=True):
        rows.setdefault(device, []).append((t, app, action, amount))
    return {device: sorted(found) for device, found in rows.items()}


def _evidence(value: float) -> float:
    return 0.0 if isnan(value) else round(value, 6)


def _visibility(window: OpenWindow) -> float:
    return share(window.seen.seconds, window.expected, window.lesson.end - window.key.start)


def _capped(window: OpenWindow) -> Seen:
    # Devices may be there that nobody expected.
    whole = window.expected * (window.lesson.end - window.key.start)
    seconds = min(window.seen.seconds, whole)
    return Seen(seconds, min(window.seen.bypassed, window.expected))


def _number(value: float) -> float | None:
    return None if isnan(value) else round(value, 9)


def _step(shares: Sequence[float]) -> dict[str, float]:
    return {
        name: rounded
        for name, share in zip(CHANNELS, shares, strict=True)
        if share and (rounded := round(share, 4)) > 0
    }
