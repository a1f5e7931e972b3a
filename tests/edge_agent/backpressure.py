"""A school whose disk fills: a followed log, real sockets, and the real intake with its budgets."""

import json
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from edge_agent.agent import Agent
from edge_agent.intake.intake import IntakeInbox
from edge_agent.intake.room import MIB, Room, Shortage
from edge_agent.parts import Parts, parser
from edge_agent.paths import AgentFolder
from edge_agent.placing.collector import Collector
from edge_agent.placing.daykeys import KeyFolder
from edge_agent.settings import DiskSettings, load_settings
from edge_agent.sources.follow import Follower
from edge_agent.store.classes import ensure_codes
from edge_agent.store.schema import MIGRATIONS
from shared.link import outbox
from shared.link.client import LinkClient
from shared.link.keys import KeyPair
from shared.link.sender import Pace
from shared.link.server import LinkServer
from shared.link.spool import Spool
from shared.serving import loopback_socket
from shared.storage import Writer, reader
from tests.edge_agent.school import ClassSpec, Learner, SchoolSpec, learners, make_school

ZONE = ZoneInfo("Europe/Zurich")
NOW = datetime(2026, 9, 14, 9, 30, tzinfo=ZONE).timestamp()
DURING = datetime(2026, 9, 14, 9, 50, tzinfo=ZONE).timestamp()  # the lesson is over, its grace is not
PEOPLE = learners(12)
NAMES = ("padlet.com", "kahoot.it", "wikipedia.org", "geogebra.org", "canva.com", "quizlet.com")


class StandingClock:
    """Always the same moment of a lesson."""

    def now(self) -> float:
        return NOW


def leases() -> str:
    """A line for each device, of before the lesson."""
    return "".join(
        f"Sep 14 08:00:00 dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad\n"
        for i, person in enumerate(PEOPLE, start=1)
    )


def look_ups(first: int, count: int) -> str:
    """Lines `first` to `first + count`: no two of them are merged into one signal."""
    lines = []
    for number in range(first, first + count):
        second = number // (len(PEOPLE) * len(NAMES)) % 1800
        name = NAMES[number // len(PEOPLE) % len(NAMES)]
        lines.append(
            f"Sep 14 09:{second // 60:02d}:{second % 60:02d} dnsmasq[9]: query[A] {name}"
            f" from 10.0.0.{number % len(PEOPLE) + 1}\n"
        )
    return "".join(lines)


class School:
    """An agent's store in `root` behind its intake; `budgets` as in agent.toml, or None for none at all."""

    def __init__(self, root: Path, budgets: DiskSettings | None, stack: ExitStack) -> None:
        self.folder = make_school(root / "school", SchoolSpec([ClassSpec("c1", "t1", PEOPLE)]))
        self.log = root.parent / "dnsmasq.log"  # the log lies on another disk than the store
        self.log.write_text(leases())
        self._stack = stack
        self.writer = Writer(self.folder.database, MIGRATIONS)
        stack.callback(self.writer.close)
        self.connection: sqlite3.Connection = reader(self.folder.database)
        stack.callback(self.connection.close)
        self._parts = Parts.load(self.folder, load_settings(self.folder))
        self._keys = KeyFolder(self.folder.day_keys, ZONE, self.writer)
        self._codes = self.writer.run(lambda c: ensure_codes(c, self._parts.directory.roster))
        shortage: Callable[[], Shortage | None] = lambda: None  # noqa: E731 - one expression, replaced below
        if budgets is not None:
            self.writer.run(lambda c: outbox.set_budget(c, budgets.outbox_mib * MIB))
            self.room = Room(self.folder.database, budgets)
            stack.callback(self.room.close)
            shortage = self.room.shortage
        self._pair, self._collectors = KeyPair.new(), KeyPair.new()
        apps = len(self._parts.catalogue.apps)
        self.inbox = IntakeInbox(
            self.writer, self._collectors.public, apps, lambda: None, shortage, StandingClock().now
        )
        self.server = LinkServer("tcp://127.0.0.1:*", self._pair, self.inbox)
        self.server.start()
        stack.callback(self.server.stop)

    def link(self, spool: Spool) -> LinkClient:
        """A collector's end of the link, started."""
        client = LinkClient(
            self.server.endpoint,
            self._pair.public,
            self._collectors,
            "resolver",
            spool,
            random.Random(1),
            pace=Pace(first=0.05, longest=0.2, refused=0.1),
        )
        client.start()
        self._stack.callback(client.stop)
        return client

    def collector(self) -> Collector:
        """The resolver's collector, as after a start of the agent."""
        return self._parts.collector("dnsmasq", "resolver", self._keys, self._codes)

    def follow(self) -> Follower:
        """Follow the log, as after a start of the agent."""
        spool = Spool()
        self.link(spool)
        parse = parser("dnsmasq", ZONE)
        follower = Follower(self.log, parse, self.collector(), spool, StandingClock(), "resolver")
        self._stack.callback(follower.stop)
        follower.start()
        return follower

    def total(self, column: str) -> int:
        """Lines or signals of all sources, as stored."""
        (found,) = self.connection.execute(f"SELECT coalesce(sum({column}), 0) FROM sources").fetchone()  # noqa: S608 - our own column names
        return int(found)

    def stored_signals(self) -> int:
        """Signals in the batches themselves."""
        (found,) = self.connection.execute("SELECT coalesce(sum(signals), 0) FROM batches").fetchone()
        return int(found)


SETTINGS = """[page]
port = {port}
[disk]
{disk}
[clock]
file = "clock.json"
[[sources]]
kind = "dnsmasq"
id = "resolver"
path = "{log}"
"""


class RunningAgent:
    """A whole agent in a thread of this process, seen through its page; `disk` are its budgets in TOML."""

    def __init__(self, root: Path, log: Path, disk: str, people: Sequence[Learner] = PEOPLE) -> None:
        self.log = log
        held = loopback_socket(0)
        self.site = f"http://127.0.0.1:{held.getsockname()[1]}"
        settings = SETTINGS.format(port=held.getsockname()[1], disk=disk, log=log)
        held.close()
        self.folder: AgentFolder = make_school(
            root, SchoolSpec([ClassSpec("c1", "t1", people)], settings=settings)
        )

    def set_clock(self, moment: float) -> None:
        """Let the school's clock stand at `moment` (seconds UTC)."""
        draft = self.folder.root / "clock.new"
        draft.write_text(json.dumps({"simulated": moment, "real": 0, "rate": 0}))
        draft.replace(self.folder.root / "clock.json")

    def status(self) -> dict[str, Any]:
        """Its state."""
        try:
            found: dict[str, Any] = httpx.get(f"{self.site}/status.json", timeout=10).json()
        except httpx.TransportError:
            return {"working": "starting", "room": {"short": None}, "sources": [{"state": "", "lines": 0}]}
        return found

    def source(self) -> dict[str, Any]:
        """The state of its one source."""
        found: dict[str, Any] = self.status()["sources"][0]
        return found

    @contextmanager
    def running(self) -> Iterator[None]:
        """While it lasts, the agent runs."""
        agent = Agent(self.folder.root)
        thread = threading.Thread(target=agent.run)
        thread.start()
        try:
            yield
        finally:
            agent.stop()
            thread.join()
