"""Where a fact belongs: which lesson of which class, under which pseudonym; or the reason why nowhere."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import NamedTuple, Protocol

from edge_agent.daykeys import DayKeys, pseudonym
from edge_agent.identity.directory import Directory
from edge_agent.sources.facts import Contact, Present, Use, Whereabouts


class Spot(NamedTuple):
    """A device (pseudonym) in a lesson: the class's code, when it began (seconds UTC), its local day."""

    day: str
    code: str
    start: int
    device: int


class Miss(NamedTuple):
    """Counted, not collected: `what` is a kind of count, `reason` one of its reasons."""

    what: str
    reason: str


Place = Callable[[Use], Spot | Miss]


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
        return partial(self._place, now=now, days={})

    def learn(self, facts: Iterable[Whereabouts]) -> None:
        """See Placer."""
        for fact in facts:
            self._directory.learn(fact)

    def _place(self, fact: Use, *, now: float, days: "dict[date, _Day | str]") -> Spot | Miss:
        directory = self._directory
        device = (
            directory.device_at(fact.address, fact.t)
            if isinstance(fact, Contact | Present)
            else directory.device_of(fact.user)
        )
        if isinstance(device, str):
            return Miss("unmatched", device)
        found = directory.lesson_at(device, fact.t)
        if isinstance(found, str):
            return Miss("unmatched" if found == "no_class" else "outside", found)
        day, lesson = found
        state = days.get(day)
        if state is None:
            key = self._keys.key(day, now)
            state = days[day] = key if isinstance(key, str) else _Day(day.isoformat(), key, {})
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
