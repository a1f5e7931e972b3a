"""Who was heard in which lesson, from when to when; what was told is told again when it has moved."""

from collections.abc import Mapping
from typing import Final

from edge_agent.parcel import Heard
from edge_agent.placing import Spot
from edge_agent.visibility import Span

STEP_SECONDS: Final = 60  # by so much a span must have grown to be told again
KEPT: Final = 20_000  # devices in lessons: some lessons of the largest school, 3 MiB

Key = tuple[str, int, str, int]  # class code, first second of the lesson, local day, pseudonym
Spans = dict[Key, list[int]]  # first and last second (UTC)


def note(spans: Spans, spot: Spot, first: int, last: int) -> None:
    """A device was heard in these seconds (UTC), both included."""
    day, code, start, device = spot
    span = spans.get((code, start, day, device))
    if span is None:
        spans[code, start, day, device] = [first, last]
        return
    if last > span[1]:
        span[1] = last
    if first < span[0]:
        span[0] = first


def merge(devices: dict[int, Span], group: Heard) -> None:
    """Take a group into what is known of its lesson: the earliest and the latest, in whatever order."""
    for device, first, last in group.spans():
        before = devices.get(device, (first, last))
        devices[device] = min(first, before[0]), max(last, before[1])


class Hearing:
    """What one source has told of whom it heard. Whoever is told of it merges by earliest and latest."""

    def __init__(self) -> None:
        self._told: Spans = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._told

    def tell(self, spans: Mapping[Key, list[int]]) -> list[Heard]:
        """What of it is news, a group for each lesson: new devices, and spans that grew by a minute."""
        if len(self._told) > KEPT:
            self._told = {}  # said again, they are who they were: the store has each once
        groups: dict[tuple[str, int, str], Heard] = {}
        for key, (first, last) in spans.items():
            told = self._told.get(key)
            if told is None:
                told = self._told[key] = [first, last]
            elif first <= told[0] - STEP_SECONDS or last >= told[1] + STEP_SECONDS:
                told[:] = min(first, told[0]), max(last, told[1])
            else:
                continue
            code, start, day, device = key
            group = groups.get((code, start, day))
            if group is None:
                group = groups[code, start, day] = Heard(code, start, day, [], [], [])
            group.devices.append(device)
            group.first.append(told[0])
            group.last.append(told[1])
        return list(groups.values())

    def forget(self) -> None:
        """Nothing was told yet, as far as is known."""
        self._told = {}

    def forget_before(self, moment: float) -> None:
        """Drop lessons that began before `moment` (seconds UTC)."""
        self._told = {key: span for key, span in self._told.items() if key[1] >= moment}
