"""Beside budget 4: how long it takes until something is on disk at the next hop, and all the way."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.clock import Clock
from benchmarks.harness import Row, Size, median, percentile, prose, times
from benchmarks.machine import WORK
from benchmarks.make.hubs import make_hub
from benchmarks.make.records import Records
from benchmarks.make.schools import write_fleet
from benchmarks.make.shared_school import School, joined_school
from benchmarks.make.traffic import listed_names
from benchmarks.peers.publish import publish
from benchmarks.processes import Process, fetch, free_ports, module, running, until
from benchmarks.soak.load import BELLS, DAY, Load
from benchmarks.soak.watch import stored
from models.catalogue.load import load_catalogue
from shared.link import outbox
from shared.link.client import LinkClient
from shared.link.outbox_feed import OutboxFeed
from shared.records import encode
from shared.storage import Writer, reader

LOOKS: Final = {"quick": 40, "full": 400}
RECORDS: Final = {"quick": 60, "full": 500}
BELLS_RUNG: Final = {"quick": 3, "full": 15}
RATE: Final = 10_000
CLASSES: Final = 80
DEVICES: Final = 25
GRACE: Final = 15 * 60
NAMES: Final = 40
PAUSE_S: Final = 0.1  # between looks, on average: at random, so that no rhythm of ours meets one of theirs
LOOK_EACH_S: Final = 0.001

Seconds = list[float]


def measure(size: Size) -> Row:
    """The row."""
    with TemporaryDirectory(dir=WORK) as name:
        lines, bare = _lines(Path(name), LOOKS[size])
    with TemporaryDirectory(dir=WORK) as name:
        records = _records(Path(name), RECORDS[size])
    with TemporaryDirectory(dir=WORK) as name:
        whole = _whole_way(Path(name), BELLS_RUNG[size])
    peers: dict[str, Seconds] = {}
    for peer in ("link", "nats_always", "mosquitto"):
        with TemporaryDirectory(dir=WORK) as name:
            peers[peer] = publish(Path(name), peer, "single", "records", RECORDS[size])["each"]
    nats = peers["nats_always"]
    return Row(
        name="latency",
        budget="latency from a log line to the hub's store, hop by hop",
        measured=f"line to agent's disk {_said(lines)}; record to hub's disk {_said(records)}",
        peer=f"bare follower {_said(bare)}; NATS, synced {_said(nats)}",
        ratio=f"{times(median(lines) / median(bare))}, {times(median(records) / median(nats))} its time",
        met="no target",
        notes=prose(
            f"""
            Medians and, after the stroke, p99. Hop 1: a running agent under {RATE:,} query lines a second;
            from the moment a part of a tenth of a second had been written until the last of its lines was a
            signal on the agent's disk, {len(lines)} times; the bare follower reads the same file at the same
            time into one SQLite table. Both look at the file five times a second. Hop 2: a lesson record
            handed to a durable outbox until it is in the running hub's store, checked and spread over its
            tables, one at a time, {len(records)} times. Peers with the same records, one at a time until
            acknowledged: our link into one table, from memory, {_said(peers["link"])}; NATS JetStream, each
            write synced, {_said(nats)}; Mosquitto, which acknowledges from memory,
            {_said(peers["mosquitto"])}. All the way: a lesson's last lines are written in the moment its
            grace ends, until its record is in the hub's store: {_said(whole)}, longest {max(whole):.2f} s,
            {len(whole)} lessons of eight classes that end together; in a school the lesson's own length and
            its quarter of an hour of grace come before that.
            """
        ),
        numbers={"line_s": lines, "bare_s": bare, "record_s": records, "whole_s": whole, "peers_s": peers},
    )


def _said(seconds: Sequence[float]) -> str:
    return f"{median(seconds) * 1000:.0f} / {percentile(seconds, 0.99) * 1000:.0f} ms"


def _lines(root: Path, looks: int) -> tuple[Seconds, Seconds]:
    """Hop 1 and its peer."""
    clock = Clock(root / "clock.json")
    midnight = int(time.time()) // DAY * DAY - 7 * DAY
    clock.stand(midnight)
    (port,) = free_ports(1)
    folder, fleet = write_fleet(
        root / "school", classes=CLASSES, devices=DEVICES, bells=BELLS, clock=clock.path, port=port
    )
    log = folder.root / "input" / "dnsmasq.log"
    load = Load(log, fleet, listed_names(load_catalogue(), NAMES), RATE, midnight, speed=1)
    load.lease()
    leases = load.lines
    with ExitStack() as held:
        follow = module("benchmarks.ends.bare_follower", str(log), str(root / "bare.db"))
        bare = held.enter_context(running(follow, root / "bare.log"))
        agent = held.enter_context(
            running(module("benchmarks.ends.installed", "agent", "run", str(folder.root)), root / "agent.log")
        )
        until(lambda: fetch(f"http://127.0.0.1:{port}/status.json"), "the agent's page", alive=[agent])
        ours, theirs = (held.enter_context(_reading(path)) for path in (folder.database, root / "bare.db"))
        until(lambda: stored(ours)[0] == leases, "the leases", alive=[agent, bare])
        clock.go(midnight)
        load.start()
        try:
            # The peer keeps query lines only; counting its rows one by one would slow the looking down.
            counts = (lambda: stored(ours)[0], lambda: _newest(theirs, "queries") + leases)
            return _marks(load, counts, looks)
        finally:
            load.stop()


def _marks(
    load: Load, counts: tuple[Callable[[], int], Callable[[], int]], looks: int
) -> tuple[Seconds, Seconds]:
    """At random moments: how long until each has what had just been written."""
    rng = random.Random(4)
    taken: tuple[Seconds, Seconds] = ([], [])
    _sleep_until(time.monotonic() + 2)  # until both have found their pace
    waiting: tuple[list[tuple[int, float]], list[tuple[int, float]]] = ([], [])
    marked, due = 0, time.monotonic()
    while marked < looks or any(waiting):
        if marked < looks and time.monotonic() >= due:
            marked += 1
            due = time.monotonic() + rng.uniform(0, 2 * PAUSE_S)
            for each in waiting:
                each.append(load.newest)
        for count_now, each, seconds in zip(counts, waiting, taken, strict=True):
            reached = count_now() if each else 0
            while each and each[0][0] <= reached:
                seconds.append(time.monotonic() - each.pop(0)[1])
        time.sleep(LOOK_EACH_S)
    return taken


def _records(root: Path, number: int) -> Seconds:
    """Hop 2: from the commit that hands a record over to the hub's store."""
    name = "Latency School"
    port, link = free_ports(2)
    hub = make_hub(root / "hub", [name], port, link)
    (root / "school").mkdir()
    records, start = Records(name, seed=5), datetime.now(UTC).replace(microsecond=0) - timedelta(days=7)
    rng = random.Random(5)
    taken = []
    with ExitStack() as held:
        process = held.enter_context(
            running(
                module("benchmarks.ends.installed", "hub", "run", str(hub.layout.folder)), root / "hub.log"
            )
        )
        until(lambda: fetch(f"http://127.0.0.1:{port}/healthz"), "the hub", alive=[process])
        writer = Writer(root / "school" / "outbox.db", [outbox.create_tables])
        held.callback(writer.close)
        feed = OutboxFeed(writer)
        client = LinkClient(hub.address, hub.public, hub.keys[0], "records", feed, random.Random(6))
        client.start()
        held.callback(client.stop)
        until(lambda: client.state.name == "connected", "the link", alive=[process])
        store = held.enter_context(_reading(hub.layout.database))
        for turn in range(1, number + 1):
            payload = encode(records.lesson(f"c{turn}", start))
            _sleep_until(time.monotonic() + rng.uniform(0, PAUSE_S))
            began = time.perf_counter()
            writer.run(partial(outbox.append, kind="lesson", payload=payload))
            feed.wake()
            _soon(lambda turn=turn: _rows(store, "lessons") >= turn, "a record", process)  # type: ignore[misc]
            taken.append(time.perf_counter() - began)
    return taken


def _whole_way(root: Path, bells: int) -> Seconds:
    """From a lesson's last lines, written as its grace ends, to its record in the hub's store."""
    taken: Seconds = []
    with joined_school(root) as school:
        for bell in range(bells):
            school.begin(bell)
            before = _rows(school.hub_store, "lessons")
            began = time.perf_counter()
            school.end(bell)
            for more in range(1, school.classes + 1):
                _soon(partial(_arrived, school, before + more), "a lesson's record", school.agent)
                taken.append(time.perf_counter() - began)
    return taken


def _arrived(school: School, number: int) -> bool:
    return _rows(school.hub_store, "lessons") >= number


def _soon(claim: Callable[[], bool], what: str, process: Process) -> None:
    until(claim, what, alive=[process], pause=LOOK_EACH_S)


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _rows(store: sqlite3.Connection, table: str) -> int:
    return int(store.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - a name of ours


def _newest(store: sqlite3.Connection, table: str) -> int:
    return int(store.execute(f"SELECT coalesce(max(rowid), 0) FROM {table}").fetchone()[0])  # noqa: S608


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    connection = reader(path)
    try:
        yield connection
    finally:
        connection.close()
