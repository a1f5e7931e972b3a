"""Drives the whole demo: sets up, starts the real parts, and replays school days through them."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from demo import ports, setup
from demo.app_names import AppNames
from demo.clock import set_clock
from demo.feed import Feed, append_from
from demo.layout import Layout
from demo.processes import Children, Commands
from demo.progress import Progress, say
from demo.school import TIMEZONE, School, build_schools
from demo.sender import Sender
from demo.state import SchoolState, State, load_state, save_state
from demo.stop import StopFlag
from demo.summary import Summary, summarise
from demo.term import Step, beginning, replay
from demo.watch import Watched, wait_caught_up, wait_ready
from models.catalogue.load import load_catalogue
from shared.settings import read_secret

SEED: Final = 20260914
SCHOOLS_AT_ONCE: Final = 2
USAGE: Final = Path(__file__).parent / "usage"


@dataclass(frozen=True, slots=True)
class Written:
    """How much one step put into the schools' systems."""

    log_bytes: int
    statements: int


class Driver:
    """One demo on one folder. `open` starts everything, `close` ends it."""

    def __init__(self, layout: Layout, port: int, children: Children, stop: StopFlag) -> None:
        self.zone = ZoneInfo(TIMEZONE)
        self.layout = layout
        self.stop = stop
        self.children = children
        self.started = time.monotonic()
        self.state = load_state(layout.state) or State(SEED, beginning(self.zone))
        self.schools = build_schools(self.state.seed)
        catalogue = load_catalogue()
        names = AppNames(catalogue)
        self.feeds = {s.slug: Feed(s, self.zone, catalogue, names) for s in self.schools}
        self.hub = Watched("hub", "the hub", port)
        self._commands = Commands(stop.check)
        self._senders: dict[str, Sender] = {}

    @property
    def agents(self) -> list[Watched]:
        """Every school's agent."""
        return [Watched(s.slug, s.name, self.state.ports[f"{s.slug}/page"]) for s in self.schools]

    def open(self) -> None:
        """Set up what is missing and start hub and agents; returns once all answer."""
        self._choose_ports()
        self._keep()
        set_clock(self.layout.clock, self.state.reached)
        say(f"Setting up a district of {len(self.schools)} simulated schools in {self.layout.root} ...")
        setup.set_up_hub(self._commands, self.layout, self.hub.port, self.state.ports["link"])
        self.children.start("hub", "hub", "run", str(self.layout.hub), "--port", str(self.hub.port))
        wait_ready(self.hub, "/healthz", self.children, self.stop)
        self._enrol()
        for school in self.schools:
            self.children.start(school.slug, "agent", "run", str(self.layout.agent(school.slug)))
        self._import_usage()
        for agent in self.agents:
            wait_ready(agent, "/status.json", self.children, self.stop)
        self._connect_senders()
        self.complete()

    def close(self) -> None:
        """End everything that was started, and remember how far it came."""
        for sender in self._senders.values():
            sender.close()
        self.children.stop()
        if self.layout.root.exists():
            self._keep()

    def replay(self, days: int) -> None:
        """Replay what is left of the first `days` school days."""
        steps = replay(days, self.state.reached, self.zone)
        with Progress(len(steps)) as progress:
            for i, step in enumerate(steps):
                written = self.advance(step, steps[i + 1].until if i + 1 < len(steps) else None)
                size = written.log_bytes / 1e6
                progress.step(step.label, f"{size:.1f} MB of logs, {written.statements} statements")

    def advance(self, step: Step, prepare_until: int | None = None) -> Written:
        """Do one step: write, post, move the clock, wait until everybody has caught up.

        What follows up to `prepare_until` is simulated while the others work.
        """
        set_clock(self.layout.clock, step.opens)
        written = self.write(step.until)
        set_clock(self.layout.clock, step.until)
        if prepare_until is not None:
            for feed in self.feeds.values():
                self.stop.check()
                feed.log(step.until, prepare_until)
        wait_caught_up(self.agents, step.until, self.children, self.stop)
        return written

    def complete(self) -> None:
        """Write what a run that was cut off had begun to write."""
        if self.state.writing > self.state.reached:
            self.write(self.state.writing)
            set_clock(self.layout.clock, self.state.reached)

    def write(self, until: int) -> Written:
        """Bring every school's logs and statements up to `until`, and remember it."""
        self.state.writing = until
        self._keep()
        log_bytes = statements = 0
        for school in self.schools:
            kept, feed = self.state.schools[school.slug], self.feeds[school.slug]
            chunk = feed.log(self.state.reached, until)
            append_from(self.layout.resolver_log(school.slug), kept.log_bytes, chunk)
            self._write_leases(school, until)
            log_bytes += len(chunk)
            if school.slug in self._senders:
                statements += self._post(school, until)
        for school in self.schools:
            kept = self.state.schools[school.slug]
            kept.log_bytes = self.layout.resolver_log(school.slug).stat().st_size
            kept.posted = 0
        self.state.reached = until
        self._keep()
        return Written(log_bytes, statements)

    def summary(self) -> Summary:
        """What came of it, as hub and agents tell."""
        return summarise(self.hub, self.agents, time.monotonic() - self.started)

    def _choose_ports(self) -> None:
        ports.need_free(self.hub.port)
        names = ["link"]
        for school in self.schools:
            self.state.schools.setdefault(school.slug, SchoolState())
            names.append(f"{school.slug}/page")
            if school.character.reports_actions:
                names.append(f"{school.slug}/apps")
        self.state.ports = ports.choose(names, self.state.ports, [self.hub.port])

    def _enrol(self) -> None:
        def one(school: School) -> None:
            ports = self.state.ports
            setup.set_up_agent(self._commands, self.layout, school, ports, ports["link"])
            self._write_leases(school, self.state.reached)
            setup.enrol(self._commands, self.layout, school, self.state.schools[school.slug])

        with ThreadPoolExecutor(SCHOOLS_AT_ONCE) as pool:
            list(pool.map(one, self.schools))
        self._keep()

    def _import_usage(self) -> None:
        if not self.state.usage_imported and USAGE.is_dir():
            setup.import_usage(self._commands, self.layout, USAGE)
            self.state.usage_imported = True
            self._keep()

    def _connect_senders(self) -> None:
        for school in self.schools:
            if school.character.reports_actions:
                password = read_secret(self.layout.password(school.slug)).decode()
                port = self.state.ports[f"{school.slug}/apps"]
                self._senders[school.slug] = Sender(school.name, port, password, self.stop.pause)

    def _post(self, school: School, until: int) -> int:
        kept, sender = self.state.schools[school.slug], self._senders[school.slug]
        good, broken = self.feeds[school.slug].statements(self.state.reached, until)
        before = kept.posted

        def taken(count: int) -> None:
            kept.posted = before + count

        sender.send(good[before:], taken)
        for statement in broken:
            sender.send_broken(statement)
        return len(good)

    def _write_leases(self, school: School, at: int) -> None:
        path = self.layout.leases(school.slug)
        draft = path.with_suffix(".new")
        draft.write_text(self.feeds[school.slug].leases(at))
        draft.replace(path)

    def _keep(self) -> None:
        save_state(self.layout.state, self.state)
