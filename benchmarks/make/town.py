"""The demo's hub and schools, joined and sharing, with their days ready to be written into their logs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.clock import Clock
from benchmarks.make.hubs import Hub, make_hub
from benchmarks.make.schools import SEED, write_demo_school
from benchmarks.processes import free_ports
from demo.app_names import AppNames
from demo.feed import Feed
from demo.school import TIMEZONE, School, build_schools
from demo.term import TERM_END, instant
from edge_agent.identity.load import load_directory
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings
from edge_agent.store import classes
from edge_agent.store.schema import MIGRATIONS
from hub.store.enrolments import slug_of
from models.catalogue.load import load_catalogue
from shared.link.keys import KeyPair
from shared.storage import connect, migrate, transaction

ZONE = ZoneInfo(TIMEZONE)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson of a shared class: its page on the hub, and its start and end in seconds UTC."""

    page: str
    school: int
    code: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Town:
    """Folders, feeds and ports, in the order of the schools."""

    hub: Hub
    agents: Sequence[AgentFolder]
    ports: Sequence[int]
    feeds: Sequence[Feed]
    codes: Sequence[dict[str, str]]

    def lessons(self, day: date) -> list[Lesson]:
        """The day's lessons of shared classes by their end."""
        found = []
        for number, feed in enumerate(self.feeds):
            bells = {bell.name: bell for bell in feed.school.bells if day.weekday() in bell.weekdays}
            for section in feed.school.sections:
                if section.shared:
                    code = self.codes[number][section.sourced_id]
                    page = (
                        f"http://127.0.0.1:{self.hub.port}/schools/{slug_of(feed.school.name)}/classes/{code}"
                    )
                    spans = [
                        (instant(day, bells[name].start, ZONE), instant(day, bells[name].end, ZONE))
                        for name in section.periods
                        if name in bells
                    ]
                    found += [Lesson(page, number, code, start, end) for start, end in spans]
        return sorted(found, key=lambda lesson: (lesson.end, lesson.page))

    def write_logs(self, start: int, end: int) -> None:
        """What every school's resolver logs in `start <= t < end`."""
        for agent, feed in zip(self.agents, self.feeds, strict=True):
            with (agent.root / "input" / "dnsmasq.log").open("ab") as file:
                file.write(feed.log(start, end))


def make_town(root: Path, clock: Clock) -> Town:
    """Folders on disk; nothing runs yet."""
    catalogue = load_catalogue()
    schools = build_schools(SEED)
    port, link, *ports = free_ports(2 + len(schools))
    hub = make_hub(root / "hub", [school.name for school in schools], port, link)
    agents, codes = [], []
    for school, own, pair in zip(schools, ports, hub.keys, strict=True):
        folder = write_demo_school(root / school.slug, school, clock=clock.path, port=own)
        _join(folder, hub, pair)
        codes.append(_share(folder, school))
        agents.append(folder)
    names = AppNames(catalogue)
    feeds = [Feed(school, ZONE, catalogue, names) for school in schools]
    return Town(hub, agents, ports, feeds, codes)


def _join(folder: AgentFolder, hub: Hub, pair: KeyPair) -> None:
    """As if the agent had used its invitation."""
    key = folder.secrets / "agent.key"
    key.write_bytes(pair.secret + b"\n")
    folder.hub.write_text(f'address = "{hub.address}"\npublic_key = {json.dumps(hub.public)}\n')


def _share(folder: AgentFolder, school: School) -> dict[str, str]:
    """Class codes by id, those of consenting teachers shared."""
    directory, _ = load_directory(folder, load_settings(folder))
    connection = connect(folder.database)
    try:
        migrate(connection, MIGRATIONS)
        with transaction(connection) as own:
            codes = classes.ensure_codes(own, directory.roster)
            for section in school.sections:
                if section.shared:
                    classes.share(own, codes[section.sourced_id], TERM_END, "2026-09-01T00:00:00+00:00")
    finally:
        connection.close()
    return codes
