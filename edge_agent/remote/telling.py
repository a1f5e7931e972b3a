"""What the agent tells collectors on other machines: how the school is set up, and tables of living days."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from edge_agent.clock import Clock
from edge_agent.days import living_days
from edge_agent.identity.directory import Directory
from edge_agent.placing.daykeys import DayKeys
from edge_agent.remote import day_table
from shared.errors import BadInput

SETUP: Final = "setup"
DAY: Final = "day:"
CLOCK: Final = "clock"
CATALOGUE: Final = "catalogue"
OTHER_KIND: Final = "other_kind"  # the refusal of a collector that says it reads what it was not invited for


class Setup(msgspec.Struct, array_like=True, frozen=True):
    """What a collector needs once: its source's name and kind, the school's time zone (IANA), and the
    version and number of apps of the agent's catalogue.
    """

    source: str
    kind: str
    timezone: str
    catalogue: str
    apps: int


def decode_setup(data: bytes) -> Setup:
    """Bytes of the link; raises BadInput."""
    try:
        return msgspec.msgpack.decode(data, type=Setup)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput("setup_malformed", type(error).__name__) from None


def decode_time(data: bytes) -> int:
    """Bytes of the link as seconds UTC; raises BadInput."""
    try:
        return msgspec.msgpack.decode(data, type=int)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput("time_malformed", type(error).__name__) from None


class _Kept(NamedTuple):
    """A day's table and the files that it was made from."""

    files: tuple[object, ...]
    table: day_table.DayTable
    encoded: bytes


@dataclass(frozen=True)
class Teller:
    """Answers by topic: `setup`, `clock` (seconds UTC), and `day:2026-11-22` while that day's key lives.

    `catalogue` is what district and school say beyond the shipped one, see `models.catalogue.layers`.
    """

    timezone: str
    catalogue: str
    apps: int
    directory: Directory
    keys: DayKeys
    codes: Mapping[str, str]
    clock: Clock
    layers: bytes = b""
    kept: dict[date, _Kept] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, source: str, kind: str, what: str) -> bytes | None:
        """The answer; None where there is none, as for a day whose key has been destroyed."""
        if what == SETUP:
            return msgspec.msgpack.encode(Setup(source, kind, self.timezone, self.catalogue, self.apps))
        if what == CATALOGUE:
            return self.layers
        if what == CLOCK:
            return msgspec.msgpack.encode(int(self.clock.now()))
        found = self._find(what.removeprefix(DAY)) if what.startswith(DAY) else None
        return None if found is None else found.encoded

    def table(self, text: str) -> day_table.DayTable | None:
        """The table of a living day (as 2026-11-22), or None; the same until the school's files change."""
        found = self._find(text)
        return None if found is None else found.table

    def forget(self) -> None:
        """Drop the tables: called when a day's key was destroyed, from any thread."""
        with self.lock:
            self.kept.clear()

    def _find(self, text: str) -> _Kept | None:
        now, zone = self.clock.now(), ZoneInfo(self.timezone)
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return None
        # Only days that live: a key must not be made for whatever day somebody asks about.
        if day not in living_days(now, zone):
            return None
        directory = self.directory
        files = directory.inventory, directory.roster, directory.timetable
        with self.lock:
            key = self.keys.key(day, now)
            if isinstance(key, str):
                return None
            found = self.kept.get(day)
            if found is None or any(old is not new for old, new in zip(found.files, files, strict=True)):
                table = day_table.make(directory, self.codes, key, day, zone)
                found = self.kept[day] = _Kept(files, table, day_table.encode(table))
            return found


Ask = Callable[[str], bytes | None]
