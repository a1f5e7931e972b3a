"""What the agent tells collectors on other machines: how the school is set up, and tables of living days."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from edge_agent.clock import Clock
from edge_agent.daykeys import DayKeys
from edge_agent.days import living_days
from edge_agent.identity.directory import Directory
from edge_agent.remote import day_table
from shared.errors import BadInput

SETUP: Final = "setup"
DAY: Final = "day:"


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


@dataclass(frozen=True)
class Teller:
    """Answers by topic: `setup`, and `day:2026-11-22` while that day's key lives."""

    timezone: str
    catalogue: str
    apps: int
    directory: Directory
    keys: DayKeys
    codes: Mapping[str, str]
    clock: Clock

    def tell(self, source: str, kind: str, what: str) -> bytes | None:
        """The answer; None where there is none, as for a day whose key has been destroyed."""
        if what == SETUP:
            return msgspec.msgpack.encode(Setup(source, kind, self.timezone, self.catalogue, self.apps))
        table = self.table(what.removeprefix(DAY)) if what.startswith(DAY) else None
        return None if table is None else day_table.encode(table)

    def table(self, text: str) -> day_table.DayTable | None:
        """The table of a living day (as 2026-11-22), or None."""
        now, zone = self.clock.now(), ZoneInfo(self.timezone)
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return None
        # Only days that live: a key must not be made for whatever day somebody asks about.
        if day not in living_days(now, zone):
            return None
        key = self.keys.key(day, now)
        return None if isinstance(key, str) else day_table.make(self.directory, self.codes, key, day, zone)


Ask = Callable[[str], bytes | None]
