"""What iPads say by themselves: counted while the school sleeps, and then not taken for use by day.

An idle talker is an app that iPads in nobody's hands ask for at least once in three hours, over at least
twenty iPad-nights. By day a look-up of one counts as use only in company: see `in_use`.
"""

from collections.abc import Iterable, Set
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_agent.placing.parcel import Idle
from models.features.compute import Signals
from shared.words import Action

NIGHTS: Final = 20
HOURS: Final = 3.0
DAYS_LEARNT_FROM: Final = 28  # apps and habits change

COMPANY_SECONDS: Final = 90
BURST_SECONDS: Final = 15  # look-ups of one app in one go
BURSTS: Final = 3
BURSTS_WITHIN: Final = 300


class Night(NamedTuple):
    """Of one local day and app: `contacts` by `devices` devices, in `rests` hours of sleep."""

    app: int
    contacts: int
    devices: int
    rests: float


class Nights:
    """What a run has been told of nights, in memory."""

    def __init__(self) -> None:
        self._days: dict[str, dict[int, Night]] = {}

    def take(self, told: Iterable[Idle]) -> None:
        """Add to what is known."""
        for idle in told:
            known = self._days.setdefault(idle.day, {})
            for app, (contacts, devices) in idle.counts.items():
                before = known.get(app, Night(app, 0, 0, 0.0))
                known[app] = Night(
                    app, before.contacts + contacts, before.devices + devices, max(before.rests, idle.rests)
                )

    def told(self) -> list[Idle]:
        """All of it, as it might be told again."""
        return [
            Idle(
                day,
                max(night.rests for night in apps.values()),
                {app: (night.contacts, night.devices) for app, night in apps.items()},
            )
            for day, apps in self._days.items()
            if apps
        ]

    def talkers(self, day: date) -> frozenset[int]:
        """Apps that talk by themselves, as the nights up to that day's own have shown."""
        first = (day - timedelta(DAYS_LEARNT_FROM)).isoformat()
        for old in [known for known in self._days if known <= first]:
            del self._days[old]
        last = day.isoformat()
        return talkers(
            night for known, apps in self._days.items() if known <= last for night in apps.values()
        )


def talkers(nights: Iterable[Night]) -> frozenset[int]:
    """Apps (indices; 0: unlisted) that iPads at rest ask for often enough, over enough iPad-nights."""
    totals: dict[int, tuple[int, int, float]] = {}
    for night in nights:
        contacts, devices, hours = totals.get(night.app, (0, 0, 0.0))
        hours += night.devices * night.rests
        totals[night.app] = contacts + night.contacts, devices + night.devices, hours
    return frozenset(
        app
        for app, (contacts, devices, hours) in totals.items()
        if devices >= NIGHTS and contacts * HOURS >= hours
    )


def in_use(signals: Signals, idle: Set[int]) -> NDArray[np.bool_]:
    """Which signals [n] stand for use. All do but contacts of an idle talker without company.

    Company is, of the same device in the same window, within 90 seconds anything that is no contact of an
    idle talker; or look-ups of that app itself in three bursts within five minutes.
    """
    count = len(signals)
    talking = (signals.action == Action.CONTACT) & np.isin(signals.app, sorted(idle))
    if not talking.any():
        return np.ones(count, bool)
    order = np.lexsort((signals.t, signals.device, signals.window))
    t, talks = signals.t[order].astype(np.int64), talking[order]
    new = np.ones(count, bool)
    new[1:] = (np.diff(signals.device[order]) != 0) | (np.diff(signals.window[order]) != 0)
    kept = np.ones(count, bool)
    kept[order] = ~talks | (_nearest(t, ~talks, new) <= COMPANY_SECONDS)
    kept[talking] |= _insistent(signals, talking)
    return kept


def _nearest(t: NDArray[np.int64], marked: NDArray[np.bool_], new: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Seconds to the nearest marked row of the same run; `new` begins one, times ascend in each."""
    far = np.int64(1 << 40)
    at, run = np.arange(len(t)), np.cumsum(new)
    before = np.maximum.accumulate(np.where(marked, at, -1))
    after = np.minimum.accumulate(np.where(marked, at, len(t))[::-1])[::-1]
    back, ahead = np.maximum(before, 0), np.minimum(after, len(t) - 1)
    since = np.where((before >= 0) & (run[back] == run), t - t[back], far)
    until = np.where((after < len(t)) & (run[ahead] == run), t[ahead] - t, far)
    return np.minimum(since, until)


def _insistent(signals: Signals, talking: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the contacts of idle talkers [their number], those of an app asked for in burst after burst."""
    rows = np.flatnonzero(talking)
    window, device, app = signals.window[rows], signals.device[rows], signals.app[rows]
    order = np.lexsort((signals.t[rows], app, device, window))
    t = signals.t[rows][order].astype(np.int64)
    new = np.ones(len(rows), bool)
    for column in (window[order], device[order], app[order]):
        new[1:] &= column[1:] == column[:-1]
    new[1:] = ~new[1:]
    first = new.copy()
    first[1:] |= np.diff(t) > BURST_SECONDS
    burst = np.cumsum(first) - 1
    begins = np.flatnonzero(first)
    run = np.cumsum(new)[begins]
    kept = np.zeros(len(begins), bool)
    last = BURSTS - 1
    if len(begins) > last:
        near = (run[last:] == run[:-last]) & (t[begins[last:]] - t[begins[:-last]] <= BURSTS_WITHIN)
        for step in range(BURSTS):
            kept[step : len(begins) - last + step] |= near
    found = np.zeros(len(rows), bool)
    found[order] = kept[burst]
    return found
