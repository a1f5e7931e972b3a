"""A school whose listeners hand on to its real intake, and what then lies in its store."""

import random
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from edge_agent.clock import Clock
from edge_agent.intake.intake import IntakeInbox
from edge_agent.parts import Parts
from edge_agent.placing.collector import Collector
from edge_agent.placing.daykeys import KeyFolder
from edge_agent.placing.placer import DirectoryPlacer
from edge_agent.settings import SourceSettings, load_settings
from edge_agent.sources.facts import Reading
from edge_agent.sources.kinds import KINDS
from edge_agent.sources.listening import Listener, open_listener
from edge_agent.sources.logtime import LogTime
from edge_agent.store.classes import ensure_codes
from edge_agent.store.schema import MIGRATIONS
from shared.link.client import LinkClient
from shared.link.keys import KeyPair
from shared.link.sender import Pace
from shared.link.server import LinkServer
from shared.link.spool import Spool
from shared.storage import Writer, reader
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

ZONE = ZoneInfo("Europe/Zurich")
NOW = datetime(2026, 9, 14, 9, 30, tzinfo=ZONE).timestamp()
PEOPLE = learners(12)
LEASES = [
    f"Sep 14 08:55:{i:02d} dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad"
    for i, person in enumerate(PEOPLE, start=1)
]
Parse = Callable[[bytes, float], Reading]


class StandingClock:
    """Always the same moment of a lesson."""

    def now(self) -> float:
        return NOW


def parser(kind: str) -> Parse:
    """As the agent makes it for one source."""
    times, read = LogTime(ZONE), KINDS[kind].make()

    def parse(chunk: bytes, now: float) -> Reading:
        times.at(now)
        return read(chunk, times)

    return parse


def look_up(device: int, second: int, name: str = "padlet.com") -> str:
    """A line of dnsmasq in the lesson, without its newline."""
    minute, second = divmod(second, 60)
    return f"Sep 14 09:{minute:02d}:{second:02d} dnsmasq[9]: query[A] {name} from 10.0.0.{device}"


class Closet:
    """Sources that leave no file, and the agent behind them."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self.folder = make_school(root / "school", SchoolSpec([ClassSpec("c1", "t1", PEOPLE)]))
        self._stack = stack
        self.writer = Writer(self.folder.database, MIGRATIONS)
        stack.callback(self.writer.close)
        self._reader = reader(self.folder.database)
        stack.callback(self._reader.close)
        self.parts = Parts.load(self.folder, load_settings(self.folder))
        self._pair, self._collectors = KeyPair.new(), KeyPair.new()
        apps = len(self.parts.catalogue.apps)
        inbox = IntakeInbox(self.writer, self._collectors.public, apps, lambda: None)
        self._server = LinkServer("tcp://127.0.0.1:*", self._pair, inbox)
        self._server.start()
        stack.callback(self._server.stop)

    def listen(
        self,
        kind: str,
        listen: str | None = None,
        *,
        path: str | None = None,
        parse: Parse | None = None,
        clock: Clock | None = None,
        make: type[Collector] = Collector,
        connected: bool = True,
        agent_time: Callable[[], int | None] | None = None,
        senders: tuple[str, ...] = (),
    ) -> tuple[Listener, Callable[[], None]]:
        """A listener at work, and how to connect it to the agent if it is not `connected` at once."""
        codes = self.writer.run(lambda connection: ensure_codes(connection, self.parts.directory.roster))
        keys = KeyFolder(self.folder.day_keys, ZONE, self.writer)
        collector = make(
            kind=kind,
            source="resolver",
            placer=DirectoryPlacer(self.parts.directory, keys, codes),
            matcher=self.parts.matcher,
            catalogue=self.parts.catalogue.version,
        )
        spool = Spool(rereads=False)
        source = SourceSettings(kind, "resolver", path=path, listen=listen, senders=senders)
        listener = open_listener(
            source,
            self.folder,
            parse or parser(kind),
            collector,
            spool,
            clock or StandingClock(),
            agent_time,
        )
        client = LinkClient(
            self._server.endpoint,
            self._pair.public,
            self._collectors,
            "resolver",
            spool,
            random.Random(1),
            pace=Pace(first=0.05, longest=0.2, refused=0.1),
        )
        if connected:
            client.start()
        self._stack.callback(client.stop)
        self._stack.callback(listener.stop)
        listener.start()
        return listener, client.start

    def total(self, column: str) -> int:
        """Of all sources: `lines` or `signals`."""
        (found,) = self._reader.execute(f"SELECT coalesce(sum({column}), 0) FROM sources").fetchone()  # noqa: S608 - our own column names
        return int(found)

    def counts(self, what: str) -> dict[str, int]:
        """Numbers by reason."""
        found = self._reader.execute("SELECT reason, n FROM counts WHERE what = ?", (what,))
        return {str(reason): int(n) for reason, n in found}
