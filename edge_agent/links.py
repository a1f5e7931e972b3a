"""Both hops of a running agent: collectors to this agent, and this agent to the district's hub."""

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

import structlog

from edge_agent.clock import Clock
from edge_agent.collecting import Collecting
from edge_agent.daykeys import KeyFolder
from edge_agent.days import rfc3339
from edge_agent.hub_link import HubLink
from edge_agent.intake import IntakeInbox
from edge_agent.parts import Parts
from edge_agent.paths import AgentFolder
from edge_agent.remote.door import intake_keys
from edge_agent.remote.members import Members
from edge_agent.remote.telling import Teller
from edge_agent.room import Room
from edge_agent.settings import load_hub
from edge_agent.store import held_by_hub
from shared.link import keys, outbox
from shared.link.client import LinkClient
from shared.link.server import LinkServer
from shared.storage import Writer


class Told(NamedTuple):
    """One source, as status page and heartbeat tell of it."""

    id: str
    kind: str
    state: str


class Links:
    """Opened at once, closed with the stack that it was opened in, in reverse."""

    def __init__(
        self,
        held: ExitStack,
        folder: AgentFolder,
        parts: Parts,
        day_keys: KeyFolder,
        codes: dict[str, str],
        clock: Clock,
        writer: Writer,
        room: Room,
        on_signals: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._writer = writer
        self._log = structlog.get_logger("agent")
        settings, apps = parts.settings, len(parts.catalogue.apps)
        pair = intake_keys(folder)
        collectors = keys.load_or_create(folder.secrets, "collectors")
        teller = Teller(
            settings.timezone, parts.catalogue.version, apps, parts.directory, day_keys, codes, clock
        )
        self.members = Members(writer, teller, apps)
        held.callback(self.members.close)
        self.inbox = IntakeInbox(
            writer, collectors.public, apps, on_signals, room.shortage, clock.now, self.members
        )
        self.intake = LinkServer(settings.intake.address, pair, self.inbox)
        self.intake.start()
        held.callback(self.intake.stop)
        self.feed = outbox.OutboxFeed(writer, on_resume=self._compare)
        hub = load_hub(folder)
        self.hub = None if hub is None else HubLink(folder, hub, self.feed)
        if self.hub is not None:
            self.hub.client.start()
            held.callback(self.hub.client.stop)
        self._collecting = Collecting(folder, parts, day_keys, codes, clock)
        held.callback(self._collecting.stop)
        here = self.intake.endpoint.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")  # noqa: S104 - what to call, not where to listen
        self._collecting.start(here, pair.public, collectors)

    @property
    def client(self) -> LinkClient | None:
        """The client to the hub, or None before `agent join`."""
        return None if self.hub is None else self.hub.client

    def told(self) -> list[Told]:
        """Every source: this agent's own, and those that are read on other machines."""
        own = [Told(one.settings.id, one.settings.kind, one.state) for one in self._collecting.running]
        return own + [Told(*one) for one in self.members.sources()]

    @property
    def trouble(self) -> str:
        """What somebody should do about the links, or nothing."""
        return self.inbox.trouble or (self.hub.trouble if self.hub is not None else "")

    def read_until(self, now: float) -> float:
        """The moment up to which every source that answers has been read and accepted."""
        return min(self._collecting.read_until(now), self.members.read_until(now))

    def forget_before(self, moment: float) -> None:
        """Drop leases and memory of lessons that no signal can ask for any more."""
        self._collecting.forget_before(moment)

    def look(self) -> None:
        """Take up what commands changed meanwhile."""
        if self.hub is not None:
            self.hub.look()

    def _compare(self, number: int, position: bytes | None) -> None:
        """The hub has told its newest entry of this school's log."""
        if position is None:
            return
        at = rfc3339(self._clock.now())

        def compare(connection: sqlite3.Connection) -> None:
            if not held_by_hub.compare(connection, position, at):
                self._log.error("the hub holds what this log does not", batch=number)

        self._writer.submit(
            compare
        )  # a full disk must not stop the link: it compares again at the next start
