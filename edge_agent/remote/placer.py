"""On another machine: places facts by day tables that the agent told, held in memory only."""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from edge_agent.days import day_of, key_expires
from edge_agent.identity.leases import Leases
from edge_agent.placing.daykeys import DESTROYED
from edge_agent.placing.placer import Miss, Place, Spot
from edge_agent.remote import day_table
from edge_agent.remote.day_table import DayTable
from edge_agent.remote.telling import DAY, Ask
from edge_agent.sources.facts import Did, Use, Visit, Whereabouts
from shared.errors import BadInput, CommonGroundError

FRESH_SECONDS: Final = 60.0  # a changed roster, and a new opt-out, is in force here after this time


class Tables:
    """The tables of living days, asked for when first needed and again each minute."""

    def __init__(self, ask: Ask, zone: ZoneInfo, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._zone = zone
        self._monotonic = monotonic
        self._known: dict[date, tuple[float, DayTable | None]] = {}
        self._newest: DayTable | None = None

    def at(self, moment: int, now: float) -> DayTable | str:
        """The table of the day that `moment` belongs to, or why there is none (`now`: seconds UTC)."""
        newest = self._newest
        if newest is not None and newest.start <= moment < newest.end:
            day = date.fromisoformat(newest.day)
        else:
            day = day_of(moment, self._zone)
        if now >= key_expires(day, self._zone):
            self._known.pop(day, None)
            return DESTROYED
        asked, table = self._known.get(day, (float("-inf"), None))
        if self._monotonic() >= asked + FRESH_SECONDS:
            data = self._ask(f"{DAY}{day.isoformat()}")
            table = None if data is None else _read(data)
            self._known[day] = self._monotonic(), table
            self._newest = table or self._newest
        return DESTROYED if table is None else table

    def forget(self, now: float) -> None:
        """Drop every table whose day's key is destroyed by now."""
        gone = [day for day in self._known if now >= key_expires(day, self._zone)]
        for day in gone:
            del self._known[day]
        if self._newest is not None and date.fromisoformat(self._newest.day) in gone:
            self._newest = None


def _read(data: bytes) -> DayTable:
    try:
        return day_table.decode(data)
    except BadInput as error:
        # Not the log's fault: what was read waits, and no line of it is refused.
        raise CommonGroundError(
            f"the agent's table cannot be read ({error.reason}):"
            " install the same version of commonground on both"
        ) from None


class TablePlacer:
    """Addresses by leases that this machine saw, hardware by the day's table."""

    def __init__(self, tables: Tables) -> None:
        self.leases = Leases()
        self._tables = tables

    def at(self, now: float) -> Place:
        """See Placer."""
        self._tables.forget(now)
        return _Told(self.leases, self._tables, now)

    def learn(self, facts: Iterable[Whereabouts]) -> None:
        """See Placer."""
        for fact in facts:
            self.leases.learn(fact)


class _Told:
    """Where facts belong by what is told now."""

    def __init__(self, leases: Leases, tables: Tables, now: float) -> None:
        self._leases = leases
        self._tables = tables
        self._now = now

    def __call__(self, fact: Use, /) -> Spot | Miss:
        """See Place."""
        if isinstance(fact, Did | Visit):
            return Miss("unmatched", "unknown_user")  # user names are not told to other machines
        hardware = self._leases.at(fact.address, fact.t)
        if hardware is None:
            return Miss("unmatched", "no_lease")
        table = self._tables.at(fact.t, self._now)
        return Miss("late", table) if isinstance(table, str) else table.place(hardware, fact.t)

    def stays(self, address: str, moments: Sequence[int], /) -> Iterator[tuple[Spot | Miss, int]]:
        """See Place."""
        at, end = 0, moments[-1] + 1
        while at < len(moments):
            place, until = self._stay(address, moments[at], end)
            following = bisect_left(moments, until, at + 1)
            yield place, following - at
            at = following

    def _stay(self, address: str, moment: int, end: int) -> tuple[Spot | Miss, int]:
        """Where a contact of the address belongs, and before when (seconds UTC) it does."""
        hardware, until = self._leases.stay(address, moment, end)
        if hardware is None:
            return Miss("unmatched", "no_lease"), until
        table = self._tables.at(moment, self._now)
        if isinstance(table, str):
            return Miss("late", table), moment + 1
        return table.place(hardware, moment), min(until, table.change(hardware, moment))
