"""Both hops of a running agent: collectors to this agent, and this agent to the district's hub."""

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, NamedTuple

import structlog

from edge_agent.catalogue.asking import DistrictAsker
from edge_agent.clock import Clock
from edge_agent.days import rfc3339
from edge_agent.intake.collecting import Collecting
from edge_agent.intake.intake import IntakeInbox
from edge_agent.intake.room import MIB, Room
from edge_agent.leaving.hub_link import HubLink
from edge_agent.parts import Parts
from edge_agent.paths import AgentFolder
from edge_agent.placing.daykeys import KeyFolder
from edge_agent.remote.door import intake_keys
from edge_agent.remote.members import Members
from edge_agent.remote.telling import Teller
from edge_agent.settings import IntakeSettings, load_hub
from edge_agent.store import held_by_hub
from models.catalogue.layers import encode_layers
from shared.link import keys
from shared.link.client import LinkClient
from shared.link.keys import KeyPair
from shared.link.limits import GUARDED, Limits
from shared.link.outbox_feed import OutboxFeed
from shared.link.server import LinkServer
from shared.storage import Writer

OWN_INTAKE: Final = IntakeSettings().address  # of this machine's own collectors, at any free port
SHARE_OF_ONE: Final = 4  # a collector on another machine may fill a quarter of what signals may


class SourceState(NamedTuple):
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
            settings.timezone,
            parts.catalogue.version,
            apps,
            parts.directory,
            day_keys,
            codes,
            clock,
            encode_layers(parts.in_use.layers),
        )
        share = settings.disk.signals_mib * MIB // SHARE_OF_ONE
        self.members = Members(writer, teller, apps, share)
        held.callback(self.members.close)
        self.inbox = IntakeInbox(writer, collectors.public, apps, on_signals, room.shortage, clock.now)
        self.intake = self._listen(held, OWN_INTAKE, pair, self.inbox)
        self._elsewhere = IntakeInbox(writer, None, apps, on_signals, room.shortage, clock.now, self.members)
        if settings.intake.address != OWN_INTAKE:
            # Apart, so that what other machines send holds up nothing that is read here.
            self._listen(held, settings.intake.address, pair, self._elsewhere, GUARDED)
        self.feed = OutboxFeed(writer, recognises=self._recognises)
        hub = load_hub(folder)
        self.hub = None if hub is None else HubLink(folder, hub, self.feed)
        if self.hub is not None:
            self.hub.client.start()
            held.callback(self.hub.client.stop)
            asker = DistrictAsker(folder, self.hub.client.ask)
            asker.start()
            held.callback(asker.stop)
        self._collecting = Collecting(folder, parts, day_keys, codes, clock, writer)
        held.callback(self._collecting.stop)
        self._collecting.start(self.intake.endpoint, pair.public, collectors)

    @property
    def client(self) -> LinkClient | None:
        """The client to the hub, or None before `agent join`."""
        return None if self.hub is None else self.hub.client

    def told(self) -> list[SourceState]:
        """Every source: this agent's own, and those that are read on other machines."""
        own = [SourceState(one.settings.id, one.settings.kind, one.state) for one in self._collecting.running]
        return own + [SourceState(*one) for one in self.members.sources()]

    @property
    def trouble(self) -> str:
        """What somebody should do about the links, or nothing."""
        return (
            self.inbox.trouble
            or self._elsewhere.trouble
            or (self.hub.trouble if self.hub is not None else "")
        )

    def read_until(self, now: float, over_at: Callable[[float], float]) -> float:
        """The moment up to which every source that answers has been read and accepted; see `Members`."""
        return min(self._collecting.read_until(now), self.members.read_until(now, over_at))

    def forget_before(self, moment: float) -> None:
        """Drop leases and memory of lessons that no signal can ask for any more."""
        self._collecting.forget_before(moment)
        self.members.forget()

    def _listen(
        self, held: ExitStack, address: str, pair: KeyPair, inbox: IntakeInbox, limits: Limits | None = None
    ) -> LinkServer:
        server = LinkServer(address, pair, inbox, limits)
        server.start()
        held.callback(server.stop)
        return server

    def look(self) -> None:
        """Take up what commands changed meanwhile."""
        if self.hub is not None:
            self.hub.look()

    def _recognises(self, connection: sqlite3.Connection, position: bytes) -> bool:
        """Whether the hub's newest entry of this school's log is this log's own."""
        own = held_by_hub.compare(connection, position, rfc3339(self._clock.now()))
        if not own:
            self._log.error("the hub holds what this log does not")
        return own
