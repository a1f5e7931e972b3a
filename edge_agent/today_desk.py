"""What the agent's page shows of the day's changes, and how it takes a new one."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from edge_agent.clock import Clock
from edge_agent.days import day_of
from edge_agent.identity.directory import Directory
from edge_agent.identity.school_calendar import REGULAR, TESTING
from edge_agent.identity.today import HALF_DAY, Change, add_change, load_changes, parse_change
from shared.errors import SettingsError

ALWAYS: Final = ("two-hour delay", "closed", "testing")
MOST: Final = 12  # buttons for schedules of the school's own


@dataclass(frozen=True, slots=True)
class Shown:
    """The day (ISO), what was said of it (words, and the local time since when), and what can be chosen."""

    day: str
    said: tuple[tuple[str, str], ...]
    choices: tuple[str, ...]
    token: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class TodayDesk:
    """Reads and writes `today.toml`; any thread. `token` is of this run, so that no other page may post."""

    path: Path
    zone: ZoneInfo
    clock: Clock
    directory: Directory
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def shown(self) -> Shown:
        """What the page shows now."""
        day = day_of(self.clock.now(), self.zone)
        trouble = ""
        changes: tuple[Change, ...] = ()
        try:
            changes = load_changes(self.path)
        except SettingsError as error:
            trouble = str(error)
        said = tuple((change.words, self._clock(change.since)) for change in changes if change.date == day)
        own = sorted(self.directory.timetable.schedules - {REGULAR, TESTING, HALF_DAY, "two_hour_delay"})
        half = ("half day",) if HALF_DAY in self.directory.timetable.schedules else ()
        schedules = tuple(f"schedule {name}" for name in own[:MOST])
        return Shown(day.isoformat(), said, (*ALWAYS, *half, *schedules, "normal"), self.token, trouble)

    def take(self, words: str) -> Change:
        """Write down a change for today, from now on. Raises UsageError or SettingsError."""
        now = self.clock.now()
        day = day_of(now, self.zone)
        change = parse_change(words, day, int(now), self.directory.timetable.schedules)
        add_change(self.path, change)
        structlog.get_logger("agent").info("day changed", day=day.isoformat(), change=change.words)
        return change

    def _clock(self, moment: int) -> str:
        return datetime.fromtimestamp(moment, self.zone).strftime("%H:%M")
