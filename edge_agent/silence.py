"""Notices when a source goes quiet in lessons, once for each silence, and once when it is over."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import msgspec

from edge_agent.days import day_of
from edge_agent.identity.directory import Directory
from edge_agent.settings import AgentSettings
from edge_agent.sources.kinds import KINDS
from shared import waiting
from shared.notice import Notice
from shared.storage import Writer

LEAST: Final = 1800.0  # seconds of lessons
LEAST_DROPPED: Final = 12 * 3600.0  # two school days: what is dropped into a folder comes once a day
USUAL: Final = 1.5  # times the longest pause that is usual
FORGETS: Final = 0.8  # a day: a pause that does not come again is no longer usual after a while
LOOK_SECONDS: Final = 20.0
AWAY: Final = 300.0  # the agent itself was not there
LOOKED_BACK: Final = 14  # days
SPOILT_SHOWN: Final = 7 * 86_400.0

Event = Literal["silent", "over", ""]

_TRY: Final = MappingProxyType(
    {
        "dnsmasq": "Does it run and log? `systemctl status dnsmasq`; `log-queries` must be in its settings.",
        "pihole": "Does it run and log? `pihole status`, and `pihole logging on`.",
        "unbound": "Does it run and log? `unbound-control status`; `log-queries: yes` must be set.",
        "bind": "Does it run and log? `rndc status`; `rndc querylog on`.",
        "squid": "Does it run and log? `systemctl status squid`, `squid -k rotate`.",
        "adguard": "Does it run? Settings, General settings: is the query log enabled?",
    }
)
_ANY: Final = "Does the program run that writes it, and did somebody change its settings or its place?"


class Pulse(msgspec.Struct, frozen=True):
    """What is known of one source. `at`: when its lines last became more (seconds UTC).

    usual, longest: the longest pause in lessons, of the days before and of `day` (seconds of lessons).
    """

    source: str
    lines: int
    at: float
    day: str
    usual: float = 0.0
    longest: float = 0.0
    silent: bool = False


def step(
    before: Pulse, *, lines: int, now: float, day: str, quiet: float, least: float
) -> tuple[Pulse, Event]:
    """What a look finds. `quiet`: seconds of lessons since `before.at`; `least`: less is no silence. Pure."""
    pulse = before
    if day != pulse.day:
        usual = max(pulse.longest, FORGETS * pulse.usual)
        pulse = msgspec.structs.replace(pulse, day=day, usual=usual, longest=0.0)
    if lines != pulse.lines:
        longest = pulse.longest if pulse.silent else max(pulse.longest, quiet)
        heard = msgspec.structs.replace(pulse, lines=lines, at=now, longest=longest, silent=False)
        return heard, "over" if pulse.silent else ""
    if not pulse.silent and quiet >= max(least, USUAL * pulse.usual):
        return msgspec.structs.replace(pulse, silent=True), "silent"
    return pulse, ""


def notice_of(event: Event, pulse: Pulse, kind: str, where: str, school: str, now: datetime) -> Notice:
    """The words for a silence that began at `pulse.at`, or is over; `now` has the school's zone."""
    since = datetime.fromtimestamp(pulse.at, now.tzinfo)
    about = {"school": school, "source": pulse.source, "event": event, "since": since.isoformat()}
    name = f"{pulse.source}-{int(pulse.at)}-{event}"
    if event == "over":
        text = f"Since {now:%H:%M} lines come again. The silence began on {since:%A %d %B at %H:%M}."
        return Notice(name, f"{school}: source {pulse.source} is heard again", text, about)
    steps = (
        _TRY.get(kind, _ANY),
        f"Is it still written to {where}? After a rotation it may go on in the old file."
        if where
        else "Does it still send to this agent’s address and port?",
        "Is the disk full (`df -h`)? Did the machine change its address or its clock?",
        "If today is no ordinary day, say so: `commonground agent today DIR closed`.",
    )
    lines = [
        f"Source {pulse.source} has been silent in lessons since {since:%A %d %B, %H:%M}.",
        "Lessons meanwhile are seen less, or not at all. What to try:",
        *(f"{number}. {words}" for number, words in enumerate(steps, start=1)),
        "This is said once; there will be word when it is over.",
    ]
    return Notice(name, f"{school}: source {pulse.source} is silent", "\n".join(lines), about)


class Source(NamedTuple):
    """A source as the agent's links tell of it."""

    id: str
    kind: str
    state: str


class Silences:
    """Looks at every source from the agent's main loop."""

    def __init__(
        self,
        writer: Writer,
        settings: AgentSettings,
        directory: Directory,
        sources: Callable[[], Iterable[tuple[str, str, str]]],
        wall: Callable[[], float],
    ) -> None:
        """`wall` is the machine's clock, by which notices are sent."""
        self._writer = writer
        self._settings = settings
        self._directory = directory
        self._sources = sources
        self._wall = wall
        self._looked = float("-inf")
        self._silent: dict[str, float] = {}
        self._spoilt: dict[str, int] = {}

    @property
    def trouble(self) -> str:
        """Which source is silent, or which notices could not be read back, or nothing."""
        for source, since in self._silent.items():
            clock = datetime.fromtimestamp(since, self._settings.zone).strftime("%H:%M on %d %B")
            said = f"Source {source} has been silent in lessons since {clock}"
            return f"{said}: see whether its program runs and still logs"
        if self._spoilt:
            reasons = ", ".join(f"{why.replace('_', ' ')}: {n}" for why, n in sorted(self._spoilt.items()))
            return f"Notices that were spoilt in the store were set aside unsent ({reasons}): check the disk"
        return ""

    def look(self, now: float) -> int:
        """Look, every twenty seconds; how many notices were handed over."""
        if 0 <= now - self._looked < LOOK_SECONDS:
            return 0
        away = now - self._looked > AWAY or now < self._looked
        self._looked = now
        return self._writer.run(partial(self._look, now=now, away=away))

    def _look(self, connection: sqlite3.Connection, now: float, *, away: bool) -> int:
        lines = dict(connection.execute("SELECT id, lines FROM sources").fetchall())
        kept = {
            name: msgspec.json.decode(text, type=Pulse)
            for name, text in connection.execute("SELECT source, pulse FROM pulses")
        }
        self._spoilt = waiting.spoilt(connection, self._wall() - SPOILT_SHOWN)
        told, self._silent = 0, {}
        day = day_of(now, self._settings.zone).isoformat()
        for source in map(Source._make, self._sources()):
            if source.id not in lines:
                continue  # never heard: that is for the check to say
            before = kept.get(source.id) or Pulse(source.id, lines[source.id], now, day)
            if away and not before.silent:
                before = msgspec.structs.replace(before, at=now)
            after, event = step(
                before,
                lines=lines[source.id],
                now=now,
                day=day,
                quiet=self._in_lessons(before.at, now),
                least=self._least(source),
            )
            if after != kept.get(source.id):
                row = source.id, msgspec.json.encode(after).decode()
                connection.execute("INSERT OR REPLACE INTO pulses VALUES (?, ?)", row)
            if event:
                local = datetime.fromtimestamp(now, self._settings.zone)
                place = self._where(source.id)
                notice = notice_of(event, before, source.kind, place, self._settings.school, local)
                told += waiting.put(connection, notice, self._settings.notice, self._wall())
            if after.silent:
                self._silent[source.id] = after.at
        return told

    def _in_lessons(self, since: float, now: float) -> float:
        """Seconds of lessons between the two moments."""
        zone = self._settings.zone
        last = day_of(now, zone)
        first = max(day_of(since, zone), last - timedelta(days=LOOKED_BACK))
        total, reached = 0.0, since
        for number in range((last - first).days + 1):
            for lesson in self._directory.timetable.lessons(first + timedelta(days=number)):
                begin, end = max(lesson.start, reached), min(lesson.end, now)
                if end > begin:
                    total, reached = total + end - begin, end
        return total

    def _least(self, source: Source) -> float:
        row = KINDS.get(source.kind)
        return LEAST_DROPPED if row is None or row.folder else LEAST

    def _where(self, name: str) -> str:
        own: Sequence[str] = [one.path or "" for one in self._settings.sources if one.id == name]
        return own[0] if own else ""
