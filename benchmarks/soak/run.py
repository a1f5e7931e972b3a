"""The soak itself: a hub, a school that joined it, and full load for as long as asked."""

import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from benchmarks import machine
from benchmarks.clock import Clock
from benchmarks.make.schools import write_fleet
from benchmarks.make.shared_school import installed, join_and_share, make_hub_folder
from benchmarks.make.traffic import listed_names
from benchmarks.processes import fetch, free_ports, running, until
from benchmarks.soak.load import BELLS, DAY, SPEED, Load
from benchmarks.soak.watch import Sample, Watch, stored
from models.catalogue.load import load_catalogue
from shared.storage import reader

RATE: Final = 10_000
CLASSES: Final = 80
DEVICES: Final = 25
SHARED: Final = 20  # classes whose lessons leave: some five hundred records a simulated day
NAMES: Final = 40
_DAYS_AGO: Final = 21  # simulated days must lie in the hub's past however long the run


@dataclass(frozen=True, slots=True)
class Counted:
    """What must match at the end: signals written and kept by the agent, records sent and kept by the hub.

    not_kept: the agent's own counts of lines that became no signal, by what and reason.
    """

    signals_written: int
    signals_kept: int
    lessons_closed: int
    records_sent: int
    records_kept: int
    refused: int
    not_kept: dict[str, int]

    @property
    def exact(self) -> bool:
        """Nothing lost, nothing twice."""
        return (
            self.signals_written == self.signals_kept
            and self.records_sent == self.records_kept > 0
            and not self.refused
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A soak's samples and counts; `to_hub` are all records' seconds; memory at most, in MiB."""

    samples: list[Sample]
    to_hub: list[float]
    counted: Counted
    agent_most_mib: float
    hub_most_mib: float
    caught_up_s: float
    rotations: int


def soak(minutes: float) -> Found:
    """Run it. RuntimeError says what failed, and the folder with the logs is kept then."""
    with _folder() as root, ExitStack() as held:
        clock = Clock(root / "clock.json")
        midnight = _midnight()
        clock.stand(midnight)
        port, link, page = free_ports(3)
        layout = make_hub_folder(root / "hub", port, link)
        hub = held.enter_context(running(installed("hub", "run", str(layout.folder)), root / "hub.log"))
        until(lambda: fetch(f"http://127.0.0.1:{port}/healthz"), "the hub", alive=[hub])
        folder, fleet = write_fleet(
            root / "school", classes=CLASSES, devices=DEVICES, bells=BELLS, clock=clock.path, port=page
        )
        join_and_share(layout, folder, SHARED)
        agent = held.enter_context(running(installed("agent", "run", str(folder.root)), root / "agent.log"))
        until(lambda: fetch(f"http://127.0.0.1:{page}/status.json"), "the agent's page", alive=[agent])
        stores = [held.enter_context(_reading(path)) for path in (folder.database, layout.database)]
        log = folder.root / "input" / "dnsmasq.log"
        load = Load(log, fleet, listed_names(load_catalogue(), NAMES), RATE, midnight)
        load.lease()
        until(lambda: stored(stores[0])[0] == load.lines, "the leases", alive=[agent])
        watch = Watch(agent, hub, stores[0], stores[1], (folder.database, layout.database), load)
        clock.go(midnight, SPEED)
        load.start()
        try:
            watch.run(minutes * 60)
        finally:
            load.stop()
        caught_up = _catch_up(watch, load, page)
        return Found(
            watch.samples,
            watch.to_hub,
            _count(stores[0], stores[1], load),
            agent.resident_mib()[1],
            hub.resident_mib()[1],
            caught_up,
            load.rotations,
        )


def _catch_up(watch: Watch, load: Load, page: int) -> float:
    """Wait for the last line on disk and the last record acknowledged; seconds it took."""
    began = time.monotonic()
    until(lambda: stored(watch.agent_store)[0] >= load.lines, "the last line", alive=[watch.agent])
    watch.finish()

    def settled() -> bool:
        status = json.loads(fetch(f"http://127.0.0.1:{page}/status.json"))
        return bool(status["outbox"]["pending"] == 0)

    until(settled, "the last acknowledgement", alive=[watch.agent, watch.hub])
    return time.monotonic() - began


def _count(agent: sqlite3.Connection, hub: sqlite3.Connection, load: Load) -> Counted:
    (closed,) = agent.execute("SELECT count(*) FROM windows").fetchone()
    (sent,) = agent.execute("SELECT count(*) FROM outbox WHERE kind = 'lesson' AND state = 'sent'").fetchone()
    (aside,) = agent.execute("SELECT count(*) FROM outbox WHERE state = 'aside'").fetchone()
    (kept,) = hub.execute("SELECT count(*) FROM lessons").fetchone()
    reasons = agent.execute("SELECT what || ': ' || reason, sum(n) FROM counts GROUP BY 1 ORDER BY 1")
    not_kept = {str(reason): int(number) for reason, number in reasons}
    return Counted(load.signals, stored(agent)[1], closed, sent, kept, aside, not_kept)


def _midnight() -> int:
    """The simulated beginning, in seconds UTC."""
    return (int(time.time()) // DAY - _DAYS_AGO) * DAY


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    connection = reader(path)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _folder() -> Iterator[Path]:
    root = Path(mkdtemp(prefix="soak-", dir=machine.WORK))
    try:
        yield root
    except BaseException:
        print(f"what the soak wrote is kept in {root}", file=sys.stderr)
        raise
    shutil.rmtree(root)
