"""Where a fact belongs: which lesson of which class, under which pseudonym; or the reason why nowhere."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from edge_agent.identity.carts import UNKNOWN
from edge_agent.identity.directory import OUTSIDE, Directory
from edge_agent.identity.inventory import Device
from edge_agent.identity.timetable import Lesson
from edge_agent.placing.daykeys import DayKeys, pseudonym
from edge_agent.sources.facts import Contact, Present, Use, Whereabouts


class Spot(NamedTuple):
    """A device (pseudonym) in a lesson: the class's code, when it began (seconds UTC), its local day."""

    day: str
    code: str
    start: int
    device: int


class Rest(NamedTuple):
    """A device in nobody's hands: the local day, how many of its hours the school sleeps, inventory id."""

    day: str
    hours: float
    device: str


class Miss(NamedTuple):
    """Counted, not collected: `what` is a kind of count, `reason` one of its reasons.

    `rest` is said of a known device while the school sleeps: what it asks for then, it asks for by itself.
    """

    what: str
    reason: str
    rest: Rest | None = None


class Place(Protocol):
    """Where facts of one reading belong."""

    def __call__(self, fact: Use, /) -> Spot | Miss:
        """Where this one does."""

    def stays(self, address: str, moments: Sequence[int], /) -> Iterator[tuple[Spot | Miss, int]]:
        """Where the address's contacts at these moments (seconds UTC, in order) do, and how many in a row."""


class Placer(Protocol):
    """What a collector asks: from the school's own files on the agent, from day tables elsewhere."""

    def at(self, now: float) -> Place:
        """How facts are placed for one reading; `now` (seconds UTC) decides which day keys still live."""

    def learn(self, facts: Iterable[Whereabouts]) -> None:
        """Take who has which address since when, and who is where."""


class DirectoryPlacer:
    """On the agent: identity files, and day keys."""

    def __init__(self, directory: Directory, keys: DayKeys, codes: dict[str, str]) -> None:
        self._directory = directory
        self._keys = keys
        self._codes = codes

    def at(self, now: float) -> Place:
        """See Placer."""
        self._directory.look(now)
        return _Files(self._directory, self._keys, self._codes, now)

    def learn(self, facts: Iterable[Whereabouts]) -> None:
        """See Placer."""
        for fact in facts:
            self._directory.learn(fact)


class _Files:
    """Where facts belong by what the files say now; what a day has been asked for once is kept."""

    def __init__(self, directory: Directory, keys: DayKeys, codes: dict[str, str], now: float) -> None:
        self._directory = directory
        self._keys = keys
        self._codes = codes
        self._now = now
        self._days: dict[date, _Day | str] = {}

    def __call__(self, fact: Use, /) -> Spot | Miss:
        """See Place."""
        directory = self._directory
        device = (
            directory.device_at(fact.address, fact.t)
            if isinstance(fact, Contact | Present)
            else directory.device_of(fact.user)
        )
        if isinstance(device, str) and device in UNKNOWN and isinstance(fact, Contact) and fact.server:
            device = directory.carts.device(fact.server, fact.address) or device
        if isinstance(device, str):
            return Miss("unmatched", device)
        return self._spot(device, directory.lesson_at(device, fact.t), fact.t)

    def stays(self, address: str, moments: Sequence[int], /) -> Iterator[tuple[Spot | Miss, int]]:
        """See Place."""
        directory = self._directory
        at, last = 0, moments[-1] + 1
        while at < len(moments):
            device, end = directory.device_stay(address, moments[at], last)
            beyond = bisect_left(moments, end, at) if end < last else len(moments)
            if isinstance(device, str):
                yield Miss("unmatched", device), beyond - at
                at = beyond
                continue
            for found, number in directory.lesson_stays(device, moments[at:beyond]):
                yield self._spot(device, found, moments[at]), number
                at += number

    def _spot(self, device: Device, found: tuple[date, Lesson] | str, moment: int) -> Spot | Miss:
        if isinstance(found, str):
            if found != OUTSIDE:
                return Miss("unmatched" if found == "no_class" else "outside", found)
            rest = self._directory.rest_at(moment) if device.hardware else None
            return Miss("outside", found, None if rest is None else Rest(*rest, device.id))
        day, lesson = found
        state = self._days.get(day)
        if state is None:
            key = self._keys.key(day, self._now)
            state = self._days[day] = key if isinstance(key, str) else _Day(day.isoformat(), key, {})
        if isinstance(state, str):
            return Miss("late", state)
        return Spot(state.name, self._codes[lesson.school_class.id], lesson.start, state.pseudonym(device.id))


@dataclass(frozen=True, slots=True)
class _Day:
    """A local day's key, and the pseudonyms made with it so far."""

    name: str
    key: bytes
    pseudonyms: dict[str, int]

    def pseudonym(self, device_id: str) -> int:
        found = self.pseudonyms.get(device_id)
        if found is None:
            found = self.pseudonyms[device_id] = pseudonym(self.key, device_id)
        return found
