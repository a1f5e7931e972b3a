"""The running agent: intake, collectors, the loop that closes lessons and weeks, the link to the hub."""

import random
import secrets
import sqlite3
import threading
import time
from pathlib import Path
from typing import Final

import structlog

from edge_agent.clock import Clock, FileClock, SystemClock
from edge_agent.collecting import Collecting, Running
from edge_agent.daykeys import KeyFolder
from edge_agent.days import key_expires
from edge_agent.intake import IntakeInbox
from edge_agent.lessons import Lessons, hand_over
from edge_agent.page import create_page
from edge_agent.parts import Parts
from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings, load_hub, load_settings
from edge_agent.status import Status, when
from edge_agent.store.classes import ensure_codes
from edge_agent.store.counts import add_counts, forget_minutes, quarantine
from edge_agent.store.schema import MIGRATIONS
from edge_agent.weeks import Weeks
from shared import records
from shared.link import keys, outbox
from shared.link.client import LinkClient
from shared.link.server import LinkServer
from shared.serving import WebServer
from shared.storage import FolderLock, Writer, reader

RECORDS_STREAM: Final = "records"
TICK_SECONDS: Final = 0.5
HEARTBEAT_SECONDS: Final = 60.0
MEMORY_SECONDS: Final = 48 * 3600
KEPT_AFTER_SENT: Final = 14 * 86400
IDENTITY: Final = "identity"
VERSION: Final = "0.1.0"


class Agent:
    """One school's agent on one folder. `run` returns after `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = AgentFolder(folder)
        self.settings = load_settings(self.folder)
        self.version = VERSION
        self.trouble = ""
        self.settled = float("-inf")
        self.nothing_due = False
        self.client: LinkClient | None = None
        self._log = structlog.get_logger("agent")
        self._stop = threading.Event()
        self._changed = threading.Event()

    def stop(self) -> None:
        """Ask the run to end (any thread, or a signal handler)."""
        self._stop.set()
        self._changed.set()

    def run(self) -> None:
        """Work until `stop`. Raises CommonGroundError when something is missing or taken."""
        lock = FolderLock(self.folder.root, "agent")
        try:
            self._open()
            try:
                self._loop()
            finally:
                self._close()
        finally:
            lock.release()

    def _open(self) -> None:
        settings, folder = self.settings, self.folder
        parts = Parts.load(folder, settings)
        self.clock = make_clock(folder, settings)
        self.writer = Writer(folder.database, MIGRATIONS)
        self._reader = reader(folder.database)
        codes = self.writer.run(lambda connection: ensure_codes(connection, parts.directory.roster))
        self._keys = KeyFolder(folder.day_keys, settings.zone)
        self._lessons = Lessons(
            self.writer, self._reader, parts.directory, codes, settings, parts.catalogue, parts.scorer
        )
        self._weeks = Weeks(self.writer, self._reader, parts.directory, settings)
        self._feed = outbox.OutboxFeed(self.writer)
        self._pair = keys.load_or_create(folder.secrets, "agent")
        self._collecting = Collecting(folder, parts, self._keys, codes, self.clock)
        self._status = Status(self)
        self._page = WebServer(create_page(self._status.read), settings.page.port, "page")
        self._count_identity(parts)
        self._start(len(parts.catalogue.apps))

    def _start(self, apps: int) -> None:
        collectors = keys.load_or_create(self.folder.secrets, "collectors")
        inbox = IntakeInbox(self.writer, collectors.public, apps, self._changed.set)
        self._intake = LinkServer("tcp://127.0.0.1:*", self._pair, inbox)
        self._intake.start()
        self._collecting.start(self._intake.endpoint, self._pair.public, collectors)
        hub = load_hub(self.folder)
        if hub is not None:
            rng = random.Random(secrets.randbits(64))
            self.client = LinkClient(hub.address, hub.public_key, self._pair, RECORDS_STREAM, self._feed, rng)
            self.client.start()
        self._page.start()
        self._log.info("running", page=f"http://127.0.0.1:{self._page.port}/", joined=hub is not None)

    def _close(self) -> None:
        self._collecting.stop()
        self._page.stop()
        if self.client is not None:
            self.client.stop()
        self._intake.stop()
        self._status.close()
        self._reader.close()
        self.writer.close()
        self._log.info("stopped")

    def _loop(self) -> None:
        heartbeat = 0.0
        while not self._stop.is_set():
            now = self.clock.now()
            try:
                self.tick(now)
                if time.monotonic() >= heartbeat:
                    heartbeat = time.monotonic() + HEARTBEAT_SECONDS
                    self._beat(now)
                self.trouble = ""
            except outbox.OutboxFull as full:
                # Lessons stay open and sources unread until the hub answers: nothing is dropped.
                self.trouble = f"The outbox is full: {full}"
            self._changed.wait(TICK_SECONDS)
            self._changed.clear()

    def tick(self, now: float) -> None:
        """Close what is over, send what may leave, destroy what is expired (`now` in seconds UTC)."""
        read_until = self._collecting.read_until(now)
        closed = self._lessons.close_due(now, read_until)
        for day in self._keys.destroy_expired(now):
            self._log.info("day key destroyed", day=day.isoformat())
            self._collecting.forget_before(key_expires(day, self.settings.zone) - MEMORY_SECONDS)
        if read_until >= now:
            self._lessons.forget(now)
            weeks = self._weeks.send_due(now)
        else:
            weeks = []
        if closed or weeks:
            self._feed.wake()
        self.settled = min(now, read_until)
        self.nothing_due = True

    def _beat(self, now: float) -> None:
        if self.client is not None and outbox.counts(self._reader).pending == 0:
            self.writer.run(lambda connection: self._write_beat(connection, now))
            self._feed.wake()

    def _write_beat(self, connection: sqlite3.Connection, now: float) -> None:
        fresh = dict(connection.execute("SELECT id, newest FROM sources").fetchall())
        sources = tuple(
            records.SourceFreshness(running.settings.kind, when(newest) if newest else None)
            for running in self.sources
            for newest in (fresh.get(running.settings.id),)
        )
        record = records.StatusRecord(
            school=self.settings.school,
            sources=sources,
            backlog=outbox.counts(connection).pending,
            version=self.version,
        )
        hand_over(connection, record, "status", now)
        forget_minutes(connection, now)
        outbox.prune_sent(connection, before=time.time() - KEPT_AFTER_SENT)

    @property
    def sources(self) -> list[Running]:
        """Every source at work."""
        return self._collecting.running

    def _count_identity(self, parts: Parts) -> None:
        """Rows of roster, inventory and bells that could not be used: counted anew at each start."""
        rows = parts.refused.rows

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM counts WHERE source = ?", (IDENTITY,))
            add_counts(connection, IDENTITY, {"refused": parts.refused.counts()})
            excerpts = [(f"{name} line {line}: {reason}", text) for name, line, reason, text in rows[:100]]
            quarantine(connection, self.clock.now(), IDENTITY, excerpts)

        self.writer.run(write)


def make_clock(folder: AgentFolder, settings: AgentSettings) -> Clock:
    """The machine's clock, or the simulated one that `[clock]` names."""
    return SystemClock() if settings.clock is None else FileClock(folder.resolve(settings.clock.file))
