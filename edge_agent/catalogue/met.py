"""How much of what was met in lessons the catalogue knows, and which registered names it does not know."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.placing.parcel import Met
from edge_agent.remote.day_table import DayTable
from edge_agent.sources.scrub_names import scrub_name
from models.catalogue.match import BACKGROUND, UNLISTED
from models.catalogue.registrable import registrable
from shared.errors import BadInput

Ints = NDArray[np.int64]

LEAST_DEVICES: Final = 10
MOST_PAIRS: Final = 50_000  # of a name and a device, a source and day
REMEMBERED: Final = 8_192  # names that were reduced
TOLD_BYTES: Final = 4_096  # of one parcel, which has signals to carry
DAYS: Final = 2
_MOST: Final = 1_000_000


@dataclass(slots=True)
class _Names:
    """Unlisted names of one day: who asked, in memory only, and how often since it was told last."""

    devices: dict[str, set[int]] = field(default_factory=dict)
    contacts: dict[str, int] = field(default_factory=dict)
    pairs: int = 0


class MetCount:
    """One source's counts. A name is told once ten devices asked for it on a day; until then it stays in
    memory, and who they are does so always. What finds no room in one parcel waits for the next.
    """

    def __init__(self, off_task: Set[int] = frozenset()) -> None:
        self._off_task = off_task
        self._reduced: dict[str, str] = {}
        self._counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._names: dict[str, _Names] = {}

    def note(self, day: str, app: int, device: int, name: str, number: int = 1) -> None:
        """Contacts in a lesson of the local day, with what the matcher said of their name."""
        self._counts[day][app] += number
        if app == UNLISTED:
            self._note_domain(day, device, self._reduce(name), number)

    def note_all(
        self, seats: Sequence[tuple[str, int]], seat: Ints, app: Ints, name: Ints, names: Sequence[str]
    ) -> None:
        """As `note`, of contacts in the order of the log [n]: the place of each one's day and device in
        `seats`, what the matcher said, the place of its name in `names`.
        """
        days: dict[str, int] = {}
        day_of = np.array([days.setdefault(day, len(days)) for day, _ in seats], np.int64)
        width = int(app.max(initial=UNLISTED)) - BACKGROUND + 1
        numbers = np.bincount(day_of[seat] * width + app - BACKGROUND)
        kinds, told = np.flatnonzero(numbers), list(days)
        for kind, number in zip(kinds.tolist(), numbers[kinds].tolist(), strict=True):
            self._counts[told[kind // width]][kind % width + BACKGROUND] += number
        rows = np.flatnonzero(app == UNLISTED)
        asked = name[rows].tolist()
        domains = {place: self._reduce(names[place]) for place in set(asked)}
        pairs = Counter(zip(seat[rows].tolist(), map(domains.__getitem__, asked), strict=True))
        for (place, domain), number in pairs.items():
            day, device = seats[place]
            self._note_domain(day, device, domain, number)

    def tell(self) -> list[Met]:
        """What came since it was told last."""
        told = [
            Met(
                day,
                listed=sum(n for app, n in counts.items() if app > UNLISTED and app not in self._off_task),
                off_task=sum(n for app, n in counts.items() if app in self._off_task),
                unlisted=counts[UNLISTED],
                background=counts[BACKGROUND],
                names=self._ripe(day),
            )
            for day, counts in self._counts.items()
        ]
        self._counts.clear()
        return told

    def adopt(self, off_task: Set[int]) -> None:
        """Go over to another catalogue."""
        self._off_task = off_task

    def forget(self) -> None:
        """Reading begins anew at the position that was accepted last."""
        self._counts.clear()
        self._names.clear()

    def _ripe(self, day: str) -> dict[str, tuple[int, int]]:
        """Names that enough devices asked for, as far as one parcel has room."""
        names = self._names.get(day, _Names())
        room, told = TOLD_BYTES, dict[str, tuple[int, int]]()
        for name in [name for name in names.contacts if len(names.devices[name]) >= LEAST_DEVICES]:
            room -= len(name) + 12
            if room < 0:
                break
            told[name] = names.contacts.pop(name), len(names.devices[name])
        return told

    def _reduce(self, name: str) -> str:
        """What a name is counted by; nothing if it is not."""
        domain = self._reduced.get(name)
        if domain is None:
            if len(self._reduced) >= REMEMBERED:
                self._reduced.clear()
            domain = self._reduced[name] = registrable(scrub_name(name))
        return domain

    def _note_domain(self, day: str, device: int, domain: str, number: int) -> None:
        if not domain:
            return
        names = self._of(day)
        devices = names.devices.get(domain)
        if devices is None or device not in devices:
            if names.pairs >= MOST_PAIRS:
                return
            names.pairs += 1
            names.devices.setdefault(domain, set()).add(device)
        names.contacts[domain] = names.contacts.get(domain, 0) + number

    def _of(self, day: str) -> _Names:
        names = self._names.get(day)
        if names is None:
            for old in sorted([*self._names, day])[:-DAYS]:
                self._names.pop(old, None)
            names = self._names[day] = _Names()
        return names


def check(met: Met) -> None:
    """Raises BadInput for counts that no collector makes."""
    numbers = [met.listed, met.off_task, met.unlisted, met.background, *(n for n, _ in met.names.values())]
    honest = all(0 <= number <= _MOST for number in numbers) and all(
        registrable(name) == name == scrub_name(name) and LEAST_DEVICES <= devices <= _MOST
        for name, (_, devices) in met.names.items()
    )
    if not honest:
        raise BadInput("counts_malformed", "names or counts that no collector makes")


def of_the_day(met: Iterable[Met], days: dict[str, DayTable | None]) -> list[Met]:
    """What another machine tells, without days that are over."""
    return [one for one in met if days.get(one.day) is not None]
