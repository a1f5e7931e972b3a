"""What changes on the day itself (a late start, a test, no school): said in words, kept in `today.toml`."""

import fcntl
import json
import os
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from edge_agent.identity.local_time import time_of_day
from edge_agent.identity.school_calendar import schedule_name
from shared import files, settings
from shared.errors import SettingsError, UsageError

KEPT_DAYS: Final = 400  # a change holds on its date alone; it is kept so that old logs are replayed rightly
MOST: Final = 2_000
LONGEST_DELAY: Final = 360  # minutes
LONGEST_NAME: Final = 64
HALF_DAY: Final = "half_day"
DISMISSAL: Final = "early_dismissal"
EARLIEST: Final = 7  # o'clock: an end before that was meant for the afternoon
Kind = Literal["closed", "testing", "normal", "delay", "dismissal", "schedule"]
_NUMBERS: Final = {"one": 1, "two": 2, "three": 3, "four": 4}
_NAMES: Final = {60: "one_hour_delay", 120: "two_hour_delay", 180: "three_hour_delay"}
_DELAY: Final = re.compile(r"(\d{1,3}|one|two|three|four)_(hour|minute)s?_(?:delay|late_start)")
_DISMISSAL: Final = re.compile(
    r"(?:early_dismissal|early_release|dismissal)(?:_at)?_(\d{1,2}:\d\d)(?:_?([ap]m))?"
)
_SAME: Final[dict[str, Kind]] = {
    "closed": "closed",
    "school_closed": "closed",
    "snow_day": "closed",
    "testing": "testing",
    "tests": "testing",
    "normal": "normal",
    "normal_day": "normal",
}

Name = Annotated[str, Meta(max_length=LONGEST_NAME)]


class Change(msgspec.Struct, frozen=True):
    """What holds on a local date for lessons that begin at or after `since` (seconds UTC).

    `minutes` is the length of a delay, `at` when the day ends early (`12:30`), `schedule` a bell schedule.
    """

    date: date
    change: Kind
    since: Annotated[int, Meta(ge=0, le=4_294_967_295)]
    minutes: Annotated[int, Meta(ge=0, le=LONGEST_DELAY)] = 0
    at: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None
    schedule: Name = ""

    @property
    def words(self) -> str:
        """The change as one would say it."""
        said = {"closed": "closed", "testing": "testing", "normal": "a normal day"}
        said["delay"] = (
            f"{self.minutes // 60}-hour delay" if self.minutes % 60 == 0 else f"{self.minutes}-minute delay"
        )
        said["dismissal"] = f"early dismissal at {self.at}"
        said["schedule"] = f"schedule {self.schedule.replace('_', ' ')}"
        return said[self.change]


class _File(msgspec.Struct, frozen=True):
    changes: tuple[Change, ...] = ()


def today_file(folder: Path) -> Path:
    """Where an agent's folder keeps the changes."""
    return folder / "today.toml"


def parse_change(text: str, day: date, since: int, schedules: Collection[str]) -> Change:
    """A change from what somebody says (`two-hour delay`, `early dismissal 12:30`, `schedule assembly`).

    `schedules` are those that the bells have. Raises UsageError for what cannot be understood or done.
    """
    plain = schedule_name(text)
    delay, dismissal = _DELAY.fullmatch(plain), _DISMISSAL.fullmatch(plain)
    if plain in _SAME:
        return Change(day, _SAME[plain], since)
    if delay:
        number = _NUMBERS.get(delay[1]) or int(delay[1])
        minutes = number * (60 if delay[2] == "hour" else 1)
        if not 0 < minutes <= LONGEST_DELAY:
            raise UsageError(f"a delay is at most {LONGEST_DELAY // 60} hours long: say `closed` for more")
        return Change(day, "delay", since, minutes=minutes)
    if dismissal:
        return Change(day, "dismissal", since, at=_clock(dismissal[1], dismissal[2]))
    name = plain.removeprefix("schedule_")
    if name in schedules and len(name) <= LONGEST_NAME:
        return Change(day, "schedule", since, schedule=name)
    if name == DISMISSAL:
        raise UsageError("an early dismissal needs its time, as in `early dismissal 12:30`")
    if name == HALF_DAY or plain != name:
        known = ", ".join(sorted(schedules)) or "none"
        raise UsageError(
            f"the bells have no schedule `{name}` (they have: {known}): give its periods in the bells file,"
            f" with `{name}` in the column schedule, or say `early dismissal 12:30`"
        )
    raise UsageError(
        f"`{text[:60]}` is not understood: say closed, testing, `two-hour delay`, `early dismissal 12:30`,"
        " `half day`, `schedule NAME` or normal"
    )


def _clock(text: str, half: str | None) -> str:
    found = time_of_day(text)
    if found is None:
        raise UsageError(f"`{text}` is no time of the day: write it as 12:30")
    hour = found.hour % 12 + 12 if half == "pm" else found.hour
    if hour < EARLIEST:
        raise UsageError(f"`{text}` is in the night: write a quarter past one as 13:15")
    return f"{hour:02d}:{found.minute:02d}"


def delay_schedule(minutes: int) -> str:
    """What a school may call its own bells for a delay of so many minutes."""
    return _NAMES.get(minutes, f"{minutes}_minute_delay")


def load_changes(path: Path) -> tuple[Change, ...]:
    """The changes of a file in the order they were made; none if it is missing. Raises SettingsError."""
    if not path.exists():
        return ()
    try:
        return settings.load(path, _File).changes
    except SettingsError as error:
        raise SettingsError(f"{error}; remove the file if nothing is out of the ordinary today") from None


def add_change(path: Path, change: Change) -> None:
    """Add a change to the file, unless it holds already, and drop those of long ago.

    Raises UsageError where it cannot be written.
    """
    with _held(path.parent):
        before = load_changes(path)
        if _holds(before, change):
            return
        first = change.date - timedelta(days=KEPT_DAYS)
        kept = [old for old in before if old.date >= first]
        changes = sorted([*kept[-MOST:], change], key=lambda item: item.since)
        files.replace(path, _toml(changes).encode())


def _holds(before: Sequence[Change], change: Change) -> bool:
    """Whether the last word on its date until then said the same."""
    earlier = [old for old in before if old.date == change.date and old.since <= change.since]
    return bool(earlier) and msgspec.structs.replace(earlier[-1], since=change.since) == change


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The command and the page may write at the same time: one after the other."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _toml(changes: list[Change]) -> str:
    lines = [
        "# What changed on the day itself, by `commonground agent today` or the agent's page.",
        "# Each holds on its date alone, for lessons that begin at or after `since` (seconds UTC).",
    ]
    for change in changes:
        lines += ["", "[[changes]]", f"date = {change.date.isoformat()}", f'change = "{change.change}"']
        lines += [f"since = {change.since}"]
        lines += [f"minutes = {change.minutes}"] if change.minutes else []
        lines += [f'at = "{change.at}"'] if change.at else []
        lines += [f"schedule = {json.dumps(change.schedule)}"] if change.schedule else []
    return "\n".join(lines) + "\n"
