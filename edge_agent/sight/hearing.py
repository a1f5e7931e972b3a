"""Who was heard in which lesson, from when to when; what was told is told again when it has moved."""

from collections.abc import Mapping
from typing import Final

from edge_agent.placing.parcel import Heard
from edge_agent.placing.placer import Spot
from edge_agent.sight.visibility import Span

STEP_SECONDS: Final = 60  # by so much a span must have grown to be told again
KEPT: Final = 20_000  # devices in lessons: some lessons of the largest school, 3 MiB

Spans = dict[Spot, list[int]]  # first and last second (UTC)


def note(spans: Spans, spot: Spot, first: int, last: int) -> None:
    """A device was heard in these seconds (UTC), both included."""
    span = spans.get(spot)
    if span is None:
        spans[spot] = [first, last]
        return
    if last > span[1]:
        span[1] = last
    if first < span[0]:
        span[0] = first


def merge(devices: dict[int, Span], group: Heard) -> None:
    """Take a group into what is known of its lesson: the earliest and the latest, in whatever order."""
    for device, first, last in group.spans():
        before = devices.setdefault(device, (first, last))
        if first < before[0] or last > before[1]:
            devices[device] = min(first, before[0]), max(last, before[1])


class Hearing:
    """What one source has told of whom it heard. Whoever is told of it merges by earliest and latest."""

    def __init__(self) -> None:
        self._told: Spans = {}

    def __contains__(self, spot: Spot) -> bool:
        return spot in self._told

    def tell(self, spans: Mapping[Spot, list[int]]) -> list[Heard]:
        """What of it is news, a group for each lesson: new devices, and spans that grew by a minute."""
        if len(self._told) > KEPT:
            self._told = {}  # said again, they are who they were: the store has each once
        groups: dict[tuple[str, str, int], Heard] = {}  # day, class code, start
        for spot, (first, last) in spans.items():
            told = self._told.get(spot)
            if told is None:
                told = self._told[spot] = [first, last]
            elif first <= told[0] - STEP_SECONDS or last >= told[1] + STEP_SECONDS:
                told[:] = min(first, told[0]), max(last, told[1])
            else:
                continue
            group = groups.get(spot[:3])
            if group is None:
                group = groups[spot[:3]] = Heard(spot.code, spot.start, spot.day, [], [], [])
            group.devices.append(spot.device)
            group.first.append(told[0])
            group.last.append(told[1])
        return list(groups.values())

    def forget(self) -> None:
        """Nothing was told yet, as far as is known."""
        self._told = {}

    def forget_before(self, moment: float) -> None:
        """Drop lessons that began before `moment` (seconds UTC)."""
        self._told = {spot: span for spot, span in self._told.items() if spot.start >= moment}
