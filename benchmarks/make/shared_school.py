"""A hub and a school that joined it and shares its classes, both running; lessons begin and end on call."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.clock import Clock
from benchmarks.make.schools import Fleet, write_fleet
from benchmarks.make.traffic import Traffic, listed_names
from benchmarks.processes import Process, commonground, fetch, free_ports, module, running, until
from edge_agent.paths import AgentFolder
from hub.paths import Layout
from models.catalogue.load import load_catalogue
from shared.storage import reader

DAY: Final = 86_400
HOUR: Final = 3600
LESSON: Final = 40 * 60
GRACE: Final = 15 * 60
_BELLS: Final = [(str(hour), f"{hour:02d}:00", f"{hour:02d}:40") for hour in range(24)]
_NAMES: Final = 10


@dataclass(frozen=True, slots=True)
class School:
    """The running school: one lesson of every class in each hour, its signals written in two parts."""

    agent: Process
    hub_store: sqlite3.Connection
    classes: int
    clock: Clock
    log: Path
    page: int
    traffic: Traffic
    midnight: int

    def begin(self, bell: int) -> None:
        """Most of the lesson's lines, and the clock just before its grace ends; settled when it returns."""
        start = self.midnight + bell * HOUR
        self._write(range(start + 60, start + LESSON - 60, 60))
        moment = start + LESSON + GRACE - 1
        self.clock.stand(moment)
        until(lambda: self._caught_up(moment), "the agent's catching up", alive=[self.agent])

    def end(self, bell: int) -> None:
        """The lesson's last lines, and the clock past its grace."""
        start = self.midnight + bell * HOUR
        self._write(range(start + LESSON - 60, start + LESSON, 30))
        self.clock.stand(start + LESSON + GRACE + 1)

    def _write(self, seconds: range) -> None:
        with self.log.open("a", encoding="ascii") as file:
            for second in seconds:
                file.write("".join(self.traffic.second(second, answers=False)))

    def _caught_up(self, moment: float) -> bool:
        status = json.loads(fetch(f"http://127.0.0.1:{self.page}/status.json"))
        return bool(status["caught_up"] and (status["now_epoch"] or 0) >= moment)


@contextmanager
def joined_school(root: Path, *, classes: int = 8, devices: int = 25) -> Iterator[School]:
    """The two processes while they last."""
    clock = Clock(root / "clock.json")
    midnight = (int(time.time()) // DAY - 7) * DAY
    clock.stand(midnight)
    port, link, page = free_ports(3)
    layout = make_hub_folder(root / "hub", port, link)
    folder, fleet = write_fleet(
        root / "school", classes=classes, devices=devices, bells=_BELLS, clock=clock.path, port=page
    )
    log = folder.root / "input" / "dnsmasq.log"
    log.write_text(fleet.leases(f"{datetime.fromtimestamp(midnight, UTC):%b %e} 00:00:00"))
    with ExitStack() as held:
        hub = held.enter_context(running(installed("hub", "run", str(layout.folder)), root / "hub.log"))
        until(lambda: fetch(f"http://127.0.0.1:{port}/healthz"), "the hub", alive=[hub])
        join_and_share(layout, folder, classes)
        agent = held.enter_context(running(installed("agent", "run", str(folder.root)), root / "agent.log"))
        until(lambda: fetch(f"http://127.0.0.1:{page}/status.json"), "the agent's page", alive=[agent])
        store = reader(layout.database)
        held.callback(store.close)
        yield School(agent, store, classes, clock, log, page, _traffic(fleet, classes * devices), midnight)


def make_hub_folder(root: Path, port: int, link: int) -> Layout:
    """`hub init`."""
    address = f"tcp://127.0.0.1:{link}"
    commonground(
        "hub", "init", str(root), "--district", "Benchmark District", "--link", address, "--port", str(port)
    )
    return Layout(root)


def join_and_share(layout: Layout, folder: AgentFolder, shared: int, school: str = "Large School") -> None:
    """By invitation, as any school, while the hub runs; then the first `shared` classes are shared."""
    token = commonground("hub", "invite", str(layout.folder), "--school", school, "--simulated")
    commonground("agent", "join", str(folder.root), "-", text=token)
    last = (datetime.now(UTC) + timedelta(days=60)).date().isoformat()
    for row in json.loads(commonground("agent", "classes", str(folder.root), "--json"))[:shared]:
        commonground("agent", "share", str(folder.root), row["code"], "--until", last)


def installed(*words: str) -> list[str]:
    """`commonground ...` without what only the development tools bring."""
    return module("benchmarks.ends.installed", *words)


def _traffic(fleet: Fleet, rate: int) -> Traffic:
    return Traffic(fleet, listed_names(load_catalogue(), _NAMES), rate)
