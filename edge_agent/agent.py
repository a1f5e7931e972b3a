"""The running agent: intake, collectors, the loop that closes lessons and weeks, the link to the hub."""

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

import structlog

from edge_agent.catalogue.desk import CatalogueDesk
from edge_agent.catalogue.watching import CatalogueWatch
from edge_agent.check.desk import CheckDesk
from edge_agent.check.nightly import NightlyCheck
from edge_agent.clock import LeapWatch, make_clock
from edge_agent.days import day_of, key_expires, rfc3339
from edge_agent.identity.today import today_file
from edge_agent.intake.room import MIB, Room
from edge_agent.leaving import school_key
from edge_agent.leaving.heartbeat import Heartbeat
from edge_agent.lessons.closing import Lessons
from edge_agent.lessons.schedule import Schedule, load_teachers_key
from edge_agent.lessons.scoring import Judged
from edge_agent.lessons.weeks import Weeks
from edge_agent.links import Links
from edge_agent.page import create_page
from edge_agent.parts import Parts
from edge_agent.paths import AgentFolder
from edge_agent.placing.daykeys import KeyFolder
from edge_agent.renewal import Renewal, count_refused
from edge_agent.settings import load_settings
from edge_agent.sight.around import Around
from edge_agent.silence import Silences
from edge_agent.status import Status
from edge_agent.store import checks, disclosures
from edge_agent.store.classes import end_expired, ensure_codes
from edge_agent.store.counts import forget_minutes
from edge_agent.store.schema import MIGRATIONS
from edge_agent.today_desk import TodayDesk
from shared import waiting
from shared.courier import Courier
from shared.errors import CommonGroundError
from shared.link import outbox
from shared.serving import WebServer
from shared.storage import LARGE_PAGE, FolderLock, Writer, reader

RECORDS_STREAM: Final = "records"
TICK_SECONDS: Final = 0.5
TIDY_SECONDS: Final = 600.0
STATEMENTS_KEPT: Final = 3 * 86400  # by then a statement sent again is late, and not counted
MEMORY_SECONDS: Final = 48 * 3600
KEPT_AFTER_SENT: Final = 14 * 86400


class Agent:
    """One school's agent on one folder. `run` returns after `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = AgentFolder(folder)
        self.settings = load_settings(self.folder)
        self.version = version("commonground")
        self.trouble = ""
        self.settled = float("-inf")
        self._log_is_full = True  # a kill may have left deleted bytes in it
        self.judged: tuple[Judged, ...] = ()
        self._log = structlog.get_logger("agent")
        self._ended: date | None = None
        self._next_tidy = 0.0
        self._leaps = LeapWatch() if self.settings.clock is None else None
        self._catalogue_token = secrets.token_urlsafe(32)  # of the run: the page stays good over a change
        self._stop = threading.Event()
        self._changed = threading.Event()

    def stop(self) -> None:
        """Ask the run to end (any thread, or a signal handler)."""
        self._stop.set()
        self._changed.set()

    def run(self) -> None:
        """Work until `stop`. Raises CommonGroundError when something is missing or taken."""
        os.umask(0o077)
        self.folder.root.chmod(0o700)
        with ExitStack() as locked:
            locked.callback(FolderLock(self.folder.root, "agent").release)
            while not self._stop.is_set():
                # Once more for each change of the catalogue: all is read and sent on from where it was.
                with ExitStack() as held:
                    self._open(held)
                    self._loop()
                    self._log.info("stopping" if self._stop.is_set() else "catalogue changed")

    def _open(self, held: ExitStack) -> None:
        """Build and start every part; all of them are stopped again in reverse, also after an error."""
        settings, folder = self.settings, self.folder
        parts = Parts.load(folder, settings, keep=True)
        self._catalogue = CatalogueWatch(folder, parts.in_use)
        self.clock = make_clock(folder, settings)
        self.writer = Writer(folder.database, MIGRATIONS, LARGE_PAGE)
        held.callback(self.writer.close)
        self._reader = reader(folder.database)
        held.callback(self._reader.close)
        self._seal()
        self.room = Room(folder.database, settings.disk)
        held.callback(self.room.close)
        self.writer.run(lambda connection: outbox.set_budget(connection, settings.disk.outbox_mib * MIB))
        codes = self.writer.run(lambda connection: ensure_codes(connection, parts.directory.roster))
        count_refused(self.writer, parts.refused, self.clock.now())
        self.judged = parts.scoring.judged
        self._renewal = Renewal(folder, parts, self.writer, codes)
        self._renewal.look(self.clock.now())  # leases are known before the first line is read
        self._keys = KeyFolder(folder.day_keys, settings.zone, self.writer)
        teachers = load_teachers_key(folder.secrets)
        schedule = Schedule(self.writer, self._reader, parts.directory, codes, teachers)
        around = Around(parts.directory, self._keys, codes, settings.zone)
        self._lessons = Lessons(
            self.writer, self._reader, schedule, settings, parts.catalogue, parts.scoring, around
        )
        self._weeks = Weeks(self.writer, self._reader, parts.directory, settings, parts.scoring)
        self._heartbeat = Heartbeat(self.writer, self._reader, settings.school, self.version)
        status = Status(self)
        held.callback(status.close)
        today = TodayDesk(today_file(folder.root), settings.zone, self.clock, parts.directory)
        check = CheckDesk(self.writer, self.clock.now)
        own = CatalogueDesk(folder, parts.in_use, self._catalogue_token)
        page = WebServer(create_page(status.read, today, check, own), settings.page.port, "page")
        held.callback(page.stop)
        self.links = Links(
            held, folder, parts, self._keys, codes, self.clock, self.writer, self.room, self._changed.set
        )
        self._watch_over(held, parts)
        page.start()
        self._log.info("running", page=f"http://127.0.0.1:{page.port}/", joined=self.links.client is not None)

    def _watch_over(self, held: ExitStack, parts: Parts) -> None:
        """What looks after the agent itself: its check at night, word of a source that falls silent."""
        settings, root = self.settings, self.folder.root
        courier = Courier(self.writer, settings.notice, root)
        held.callback(courier.stop)
        courier.start()
        self._silences = Silences(self.writer, settings, parts.directory, self.links.told, time.time)
        self._nightly = NightlyCheck(root, settings.zone, self.writer.run(checks.last))
        held.callback(self._nightly.stop)

    def _seal(self) -> None:
        """Records in the disclosure log are for the school's key alone, those of an older program too."""
        public = school_key.ensure(self.folder.secrets)
        self.writer.run(lambda connection: disclosures.adopt_key(connection, public))
        while self.writer.run(disclosures.seal_earlier):
            pass

    def _loop(self) -> None:
        steps = (self.tick, self._renew, self._look, self._beat, self._listen, self._tidy)
        while not self._stop.is_set() and not self._catalogue.has_changed():
            now = self.clock.now()
            leap = self._leaps.trouble(now) if self._leaps else ""
            if leap:
                self.trouble = leap
                self._attempt(self._look, now)
            else:
                # Said once all is done: whoever reads it meanwhile must not see trouble gone that stays.
                told = [self._attempt(step, now) for step in steps]
                said = (self.links, self._renewal, self._catalogue, self._silences)
                self.trouble = next(filter(None, [*told, *(part.trouble for part in said)]), "")
            self._changed.wait(TICK_SECONDS)
            self._changed.clear()

    def _attempt(self, step: Callable[[float], None], now: float) -> str:
        """Do it; what somebody should do about its failure, which keeps nothing else from being done."""
        try:
            step(now)
        except outbox.OutboxFull as full:
            # Lessons stay open until the hub answers and there is room again: nothing is dropped.
            return f"The outbox is full: {full}"
        except (sqlite3.Error, OSError) as error:
            # A full disk, most likely: the page must stay up to say so, and the work goes on later.
            self._log.error("step failed", step=step.__name__, kind=type(error).__name__)
            self._stop.wait(TICK_SECONDS * 4)
            return f"The agent cannot write ({error}): make room on the disk; nothing is lost"
        except CommonGroundError as error:
            self._log.error("step failed", step=step.__name__, kind=type(error).__name__)
            return str(error)
        return ""

    def _renew(self, now: float) -> None:
        if self._renewal.look(now):
            self._log.info("identity files renewed")

    def _look(self, now: float) -> None:
        del now  # commands change what they change whenever they run
        self.links.look()

    def _beat(self, now: float) -> None:
        if self.links.client is not None and self._heartbeat.beat(self.links.told, now):
            self.links.feed.wake()

    def _listen(self, now: float) -> None:
        if self.settings.clock is None:  # in a simulation half an hour of lessons is over in seconds
            self._silences.look(now)
            self._nightly.look(now)

    def tick(self, now: float) -> None:
        """Close what is over, send what may leave, destroy what is expired (`now` in seconds UTC)."""
        for day in self._keys.destroy_expired(now):
            self._log.info("day key destroyed", day=day.isoformat())
            self.links.forget_before(key_expires(day, self.settings.zone) - MEMORY_SECONDS)
        self._end_sharing(now)
        read_until = self.links.read_until(now, self._lessons.over_at)
        if self.room.shortage() is not None:
            # Nothing more is taken of days without a key. Waiting for it would keep what fills the disk.
            read_until = max(read_until, self._lessons.over_at(now))
        until = min(now, read_until)
        closed = self._lessons.close_due(now, read_until)
        # Whatever a source was still to say of that time has been said.
        if self._lessons.forget(until):
            self._log_is_full = True
        if self._log_is_full:
            # Deleted pseudonyms are gone from the file, but not from its log until that is emptied.
            self._log_is_full = not self.writer.empty_log()
        weeks = self._weeks.send_due(until)
        if closed or weeks:
            self.links.feed.wake()
        self.settled = until

    def _end_sharing(self, now: float) -> None:
        """Once a day is enough: nothing is handed over of a class whose last day is over."""
        today = day_of(now, self.settings.zone)
        if today != self._ended:
            self.writer.run(lambda connection: end_expired(connection, today, rfc3339(now)))
            self._ended = today

    def _tidy(self, now: float) -> None:
        if time.monotonic() >= self._next_tidy:
            self._next_tidy = time.monotonic() + TIDY_SECONDS
            self.writer.run(partial(_tidy, now=now))


def _tidy(connection: sqlite3.Connection, now: float) -> None:
    forget_minutes(connection, now)
    connection.execute("DELETE FROM statements WHERE at < ?", (int(now - STATEMENTS_KEPT),))
    waiting.prune(connection, time.time())
    outbox.prune_sent(connection, before=time.time() - KEPT_AFTER_SENT)
