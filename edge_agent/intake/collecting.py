"""Hop 1 in one process: a collector for each configured source, each with its own stream of the link."""

import random
import secrets
import sqlite3
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edge_agent.clock import Clock
from edge_agent.parts import Parts, parser
from edge_agent.paths import AgentFolder
from edge_agent.placing.collector import Collector
from edge_agent.placing.daykeys import KeyFolder
from edge_agent.placing.placer import DirectoryPlacer
from edge_agent.settings import SourceSettings
from edge_agent.sources.follow import Follower
from edge_agent.sources.kinds import KINDS
from edge_agent.sources.parsing import Parser
from edge_agent.store.withdrawn import Stored, withdraw
from shared.errors import SettingsError, UsageError
from shared.link.client import LinkClient
from shared.link.keys import KeyPair
from shared.link.spool import Spool
from shared.serving import WebServer
from shared.settings import read_secret
from shared.storage import Writer, reader

if TYPE_CHECKING:
    from edge_agent.sources.listening import Listener


@dataclass(slots=True)
class Running:
    """One source at work: a followed file or folder, a listener, or a port for apps."""

    settings: SourceSettings
    client: LinkClient
    spool: Spool
    follower: Follower | None = None
    web: WebServer | None = None
    listener: "Listener | None" = None

    @property
    def state(self) -> str:
        """In words, for the status page."""
        if self.follower is not None:
            return self.follower.state
        if self.listener is not None:
            return self.listener.state
        if self.spool.is_stalled():
            return "waits: what was sent last is not accepted yet; the apps are asked to send again later"
        return f"listening on port {self.settings.port}"

    def stop(self) -> None:
        """Stop the source, then its link."""
        if self.web is not None:
            self.web.stop()
        for part in (self.follower, self.listener):
            if part is not None:
                part.stop()
        self.client.stop()


class Collecting:
    """All sources of an agent."""

    def __init__(
        self,
        folder: AgentFolder,
        parts: Parts,
        keys: KeyFolder,
        codes: dict[str, str],
        clock: Clock,
        writer: Writer,
    ) -> None:
        self._folder = folder
        self._parts = parts
        self._keys = keys
        self._codes = codes
        self._clock = clock
        self._writer = writer
        self._statements: sqlite3.Connection = reader(folder.database)
        self._collectors: list[Collector] = []
        self.running: list[Running] = []

    def start(self, endpoint: str, agent_public: str, pair: KeyPair) -> None:
        """Start every source against the agent's own intake.

        Raises BusyError for a taken port, SettingsError for a source that cannot be read as it is set.
        """
        for source in self._parts.settings.sources:
            self._start(source, endpoint, agent_public, pair)

    def stop(self) -> None:
        """Stop every source; what was not accepted is read again next time."""
        for running in reversed(self.running):
            running.stop()
        self._statements.close()

    def read_until(self, now: float) -> float:
        """The moment up to which everything that is followed or listened to has been read and accepted."""
        parts = (part for item in self.running for part in (item.follower, item.listener))
        return min((part.read_until for part in parts if part is not None), default=now)

    def forget_before(self, moment: float) -> None:
        """Drop leases and memory of lessons that no signal can ask for any more."""
        self._parts.directory.forget_before(int(moment))
        for collector in self._collectors:
            collector.forget_before(moment)

    def _start(self, source: SourceSettings, endpoint: str, public: str, pair: KeyPair) -> None:
        collector = self._parts.collector(source.kind, source.id, self._keys, self._codes)
        self._collectors.append(collector)
        listens = source.listen is not None or (source.path is not None and self._is_pipe(source.path))
        spool = Spool(rereads=source.path is not None and not listens)
        client = LinkClient(endpoint, public, pair, source.id, spool, random.Random(secrets.randbits(64)))
        running = Running(source, client, spool)
        self.running.append(running)
        if listens:
            # Loaded only where something listens.
            from edge_agent.sources.listening import open_listener

            running.listener = open_listener(
                source, self._folder, self._parser(source), collector, spool, self._clock
            )
        elif source.path is not None:
            path, parse = self._folder.resolve(source.path), self._parser(source)
            if parse.kind.framed:
                raise SettingsError(f"source `{source.id}`: `{source.kind}` is no file: give `listen`")
            running.follower = Follower(path, parse, collector, spool, self._clock, source.id)
        elif source.kind == "xapi":
            # Loaded only where apps report: it brings a web framework of its own.
            from edge_agent.sources.xapi import StatementReader
            from edge_agent.sources.xapi_receiver import StatementSink, create_receiver

            reader_ = StatementReader(self._parts.catalogue, self._parts.matcher)
            sink = StatementSink(
                reader_,
                collector,
                spool,
                self._clock,
                self._known,
                placer=DirectoryPlacer(self._parts.directory, self._keys, self._codes),
                withdraw=partial(self._withdraw, source.id),
            )
            app = create_receiver(sink, source.user or "", self._password(source))
            running.web = WebServer(app, source.port or 0, source.id)
        else:
            raise SettingsError(f"source `{source.id}`: `{source.kind}` cannot listen; give its `path`")
        client.start()
        for part in (running.follower, running.listener, running.web):
            if part is not None:
                part.start()

    def _is_pipe(self, path: str) -> bool:
        return self._folder.resolve(path).is_fifo()

    def _parser(self, source: SourceSettings) -> Parser:
        if source.kind not in KINDS:
            known = ", ".join(sorted(KINDS))
            raise SettingsError(f"source `{source.id}`: cannot read `{source.kind}` yet; known: {known}")
        try:
            return parser(
                source.kind, self._parts.settings.zone, mapping=source.mapping, folder=self._folder.root
            )
        except (SettingsError, UsageError) as error:
            raise SettingsError(f"source `{source.id}`: {error}") from None

    def _withdraw(self, source: str, signal: Stored) -> bool:
        apps = len(self._parts.catalogue.apps)
        return self._writer.run(lambda connection: withdraw(connection, source, signal, apps))

    def _password(self, source: SourceSettings) -> str:
        return read_secret(self._folder.resolve(source.password_file or "")).decode().strip()

    def _known(self, hashed: int) -> bool:
        row = self._statements.execute("SELECT 1 FROM statements WHERE hash = ?", (hashed,)).fetchone()
        return row is not None
