"""Budget 6: a hub whose schools all come back after a day offline, beside bare SQLite inserts."""

import json
import os
import sqlite3
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from benchmarks.ends.fleet import EPOCH, Fleet
from benchmarks.harness import Row, Size, big, interleaved, median, met, percentile, prose, times
from benchmarks.machine import WORK
from benchmarks.make.backlog import backlog
from benchmarks.make.hubs import Hub, make_hub, school_names
from benchmarks.processes import Process, asking, fetch, free_ports, module, running, until
from shared.storage import reader

SCHOOLS: Final = {"quick": 40, "full": 1000}
ALL_SCHOOLS: Final = 1000
ROUNDS: Final = {"quick": 1, "full": 2}
WANTED: Final = 0.5
FLAT: Final = 1.1
PAGE_MS: Final = 1000.0  # a page that takes longer does not answer
A_COMMIT: Final = 1000


def measure(size: Size) -> Row:
    """The row."""
    names = school_names(SCHOOLS[size])
    waiting = [backlog(name, number) for number, name in enumerate(names)]
    payloads = [payload for own in waiting for payload, _ in own]
    drains: list[dict[str, Any]] = []

    def ours() -> float:
        with TemporaryDirectory(dir=WORK) as name:
            drains.append(_drain(Path(name), names, waiting))
        return len(payloads) / float(drains[-1]["seconds"])

    rates = interleaved(ROUNDS[size], {"ours": ours, "bare": lambda: _bare(payloads)})
    rate = {name: median(found) for name, found in rates.items()}
    once = all(drain["stored"] == len(payloads) and not drain["aside"] for drain in drains)
    flat = all(drain["later_mib"] <= FLAT * drain["early_mib"] for drain in drains)
    page_ms = max(drain["page_p95_ms"] for drain in drains)
    last = drains[-1]
    return Row(
        name="hub",
        budget="hub, 1,000 schools back after a day offline: drained at no less than half of bare"
        " `executemany` speed, memory flat, no duplicate, pages answering",
        measured=f"{big(rate['ours'])} records/s, {len(names):,} schools, page p95 {page_ms:.0f} ms",
        peer=f"bare executemany {big(rate['bare'])} records/s",
        ratio=times(rate["ours"] / rate["bare"]),
        met=met(
            rate["ours"] >= WANTED * rate["bare"] and once and flat and page_ms <= PAGE_MS,
            whole=len(names) >= ALL_SCHOOLS,
        ),
        notes=prose(
            f"""
            A real `hub run` and {len(names):,} schools, each with keys and a socket of its own,
            {len(payloads) // len(names)} records a school ({len(payloads):,} in all,
            {sum(map(len, payloads)) // len(payloads):,} bytes on average: lessons, weeks, a heartbeat); from
            the first connection, handshakes included, to the last acknowledgement. In the store afterwards:
            every record once ({"yes" if once else "NO"}), beside it the receipt of its entry in the school's
            log. The hub used {last["hub_cpu_seconds"] / len(payloads) * 1e6:.0f} us of processor time a
            record, and the schools {last["fleet_cpu_seconds"] / len(payloads) * 1e6:.0f}, on the same
            {os.cpu_count()} processors, where districts have the schools' elsewhere. The district page, asked
            for again and again all the while: p95 {page_ms:.0f} ms ({last["pages"]} answers). Memory:
            {last["before_mib"]:.0f} MiB before, at most {last["early_mib"]:.0f} in the first half and
            {last["later_mib"]:.0f} in the second ({"flat" if flat else "NOT flat"}). The peer puts the same
            bytes into one table, {A_COMMIT:,} a FULL commit, in one process: no network, no encryption, no
            check, no deduplication, no pages, and nothing that could be looked up afterwards; ours decodes
            each, checks it, and spreads it over lessons, placements, weeks, receipts and the ledger.
            """
        ),
        numbers={"records_a_second": rate, "rounds": rates, "schools": len(names), "drains": drains},
    )


def _drain(root: Path, names: list[str], waiting: list[list[tuple[bytes, bytes]]]) -> dict[str, Any]:
    port, link = free_ports(2)
    hub = make_hub(root / "hub", names, port, link, greeted=EPOCH)
    asked = root / "fleet.msgpack"
    keys = [(pair.public, pair.secret) for pair in hub.keys]
    asked.write_bytes(msgspec.msgpack.encode(Fleet(hub.address, hub.public, keys, waiting)))
    command = module("benchmarks.ends.installed", "hub", "run", str(hub.layout.folder))
    with running(command, root / "hub.log") as process:
        until(lambda: fetch(f"http://127.0.0.1:{port}/healthz"), "the hub", alive=[process])
        before, _ = process.resident_mib()
        used = -process.cpu_seconds()
        words = module("benchmarks.ends.fleet", str(asked))
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as fleet:
            assert fleet.stdout
            fleet.stdout.readline()
            with asking(f"http://127.0.0.1:{port}/") as answers:
                memory = _watch(process, fleet)
            found: dict[str, Any] = json.loads(fleet.stdout.read())
        used += process.cpu_seconds()
        stored = _stored(hub)
    half = len(memory) // 2
    return {
        **found,
        "stored": stored,
        "hub_cpu_seconds": used,
        "pages": len(answers),
        "page_p95_ms": 1000 * percentile(answers, 0.95),
        "before_mib": before,
        "early_mib": max(memory[: half + 1]),
        "later_mib": max(memory[half:]),
    }


def _watch(process: Process, fleet: "subprocess.Popen[str]") -> list[float]:
    """The hub's resident memory twenty times a second until the fleet is done."""
    seen = []
    while fleet.poll() is None:
        process.check()
        seen.append(process.resident_mib()[0])
        time.sleep(0.05)
    if fleet.returncode:
        raise RuntimeError("the fleet failed, see above")
    return [*seen, process.resident_mib()[0]]


def _stored(hub: Hub) -> int:
    """Lessons, weeks and heartbeats in the store; one too many if the hub counted any repetition."""
    store = reader(hub.layout.database)
    try:
        (lessons,) = store.execute("SELECT count(*) FROM lessons").fetchone()
        (weeks,) = store.execute("SELECT count(*) FROM weeks").fetchone()
        (beats,) = store.execute("SELECT count(*) FROM heartbeats WHERE sources IS NOT NULL").fetchone()
        counted = dict(store.execute("SELECT name, count FROM counters").fetchall())
    finally:
        store.close()
    taken = counted.get("lesson_new", 0) + counted.get("week_new", 0) + counted.get("status", 0)
    return int(lessons + weeks + beats) if taken == sum(counted.values()) else -1


def _bare(payloads: list[bytes]) -> float:
    """Rows a second of the same bytes."""
    with TemporaryDirectory(dir=WORK) as name:
        connection = sqlite3.connect(Path(name) / "bare.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE records (id INTEGER PRIMARY KEY, payload BLOB)")
        rows = [(payload,) for payload in payloads]
        began = time.perf_counter()
        for start in range(0, len(rows), A_COMMIT):
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO records (payload) VALUES (?)", rows[start : start + A_COMMIT])
            connection.execute("COMMIT")
        seconds = time.perf_counter() - began
        connection.close()
    return len(payloads) / seconds
