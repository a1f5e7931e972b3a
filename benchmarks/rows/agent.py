"""Budget 5: a running agent that takes in 10,000 signals a second, and the bell apart."""

import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.clock import Clock
from benchmarks.harness import Row, Size, met, prose, times
from benchmarks.machine import WORK
from benchmarks.make.schools import write_fleet
from benchmarks.make.traffic import Traffic, listed_names
from benchmarks.processes import Process, fetch, free_ports, module, running, until
from models.catalogue.load import load_catalogue
from shared.storage import reader

RATE: Final = 10_000
SECONDS: Final = {"quick": 5, "full": 45}
CLASSES: Final = 80
DEVICES: Final = 25
NINE: Final = 1_788_771_600  # Monday 2026-09-07T09:00:00Z
LESSON: Final = ("1", "09:00", "09:45")
AFTER_GRACE: Final = NINE + 60 * 60 + 1
CORE_WANTED: Final = 0.30
MIB_WANTED: Final = 99.0


def measure(size: Size) -> Row:
    """The row."""
    with TemporaryDirectory(dir=WORK) as name:
        found = _run(Path(name), SECONDS[size])
    plain, wordy = found["queries_only"], found["with_answers"]
    return Row(
        name="agent",
        budget="agent at 10,000 signals/s sustained: at most 30% of one core and 99 MiB resident",
        measured=f"{plain['core']:.0%} of one core, {plain['resident_mib']:.0f} MiB",
        peer=f"bare follower {plain['bare_core']:.0%}, {plain['bare_mib']:.0f} MiB",
        ratio=f"{times(plain['core'] / plain['bare_core'])} its processor time",
        met=met(plain["core"] <= CORE_WANTED and plain["resident_mib"] <= MIB_WANTED),
        notes=prose(
            f"""
            A real `agent run` follows a log into which {plain["queries"] / plain["wall"]:,.0f} query lines a
            second were written for {plain["wall"]:.0f} s: {CLASSES * DEVICES:,} iPads of {CLASSES} classes,
            {plain["signals"]:,} of {plain["queries"]:,} accepted as signals and on disk
            {plain["behind"]:.1f} s after the last was written; processor time until then, memory at most.
            With the answers that dnsmasq logs too, three lines for each query: {wordy["core"]:.0%} of one
            core, {wordy["resident_mib"]:.0f} MiB ({wordy["signals"]:,} of {wordy["queries"]:,} on disk
            {wordy["behind"]:.1f} s after the last). The bell apart: {CLASSES} lessons with
            {plain["signals"] + wordy["signals"]:,} signals closed at once in {found["bell_wall"]:.1f} s,
            {found["bell_cpu"]:.1f} s of processor time, at most {found["bell_mib"]:.0f} MiB. Idle, before
            anything: {found["idle_mib"]:.0f} MiB. The peer follows the same file at the same time: one
            regular expression a line into one SQLite table with FULL commits; it knows no device, lesson or
            app, and keeps addresses as they are. The ceilings are those of the OpenTelemetry Collector's own
            tests. pandas, which only the development tools bring, is hidden from the agent.
            """
        ),
        numbers=found,
    )


def _run(root: Path, seconds: int) -> dict[str, Any]:
    clock = Clock(root / "clock.json")
    clock.go(NINE + 60)
    (port,) = free_ports(1)
    folder, fleet = write_fleet(
        root / "school", classes=CLASSES, devices=DEVICES, bells=[LESSON], clock=clock.path, port=port
    )
    log = folder.root / "input" / "dnsmasq.log"
    log.write_text(fleet.leases("Sep  7 08:00:00"))
    traffic = Traffic(fleet, listed_names(load_catalogue(), 40), RATE)
    with ExitStack() as held:
        follow = module("benchmarks.ends.bare_follower", str(log), str(root / "bare.db"))
        bare = held.enter_context(running(follow, root / "bare.log"))
        command = module("benchmarks.ends.installed", "agent", "run", str(folder.root))
        agent = held.enter_context(running(command, root / "agent.log"))
        until(lambda: fetch(f"http://127.0.0.1:{port}/status.json"), "the agent's page", alive=[agent])
        store = reader(folder.database)
        held.callback(store.close)
        until(lambda: _lines(store) == CLASSES * DEVICES, "the leases", alive=[agent])
        idle, _ = agent.resident_mib()
        stages: dict[str, dict[str, Any]] = {}
        for name, answers, own in (
            ("queries_only", False, seconds),
            ("with_answers", True, -(-seconds // 3)),
        ):
            clock.go(NINE + 60 * (len(stages) + 1))
            stage = _Stage(agent, bare, store)
            queries, wall = traffic.write(log, NINE + 60 * (len(stages) + 1), own, answers=answers)
            stages[name] = stage.end(queries, queries * (3 if answers else 1), wall)
        return {"idle_mib": idle, **stages, **_bell(agent, store, clock)}


class _Stage:
    """One stretch of traffic: what both followers used from its beginning to the last line on disk."""

    def __init__(self, agent: Process, bare: Process, store: sqlite3.Connection) -> None:
        self._agent, self._bare, self._store = agent, bare, store
        self._lines, self._signals = _lines(store), _signals(store)
        self._cpu = agent.cpu_seconds(), bare.cpu_seconds()

    def end(self, queries: int, lines: int, wall: float) -> dict[str, Any]:
        began = time.monotonic()
        until(lambda: _lines(self._store) >= self._lines + lines, "the last line", alive=[self._agent])
        behind = time.monotonic() - began
        return {
            "queries": queries,
            "signals": _signals(self._store) - self._signals,
            "wall": wall,
            "behind": behind,
            "core": (self._agent.cpu_seconds() - self._cpu[0]) / wall,
            "resident_mib": self._agent.resident_mib()[1],
            "bare_core": (self._bare.cpu_seconds() - self._cpu[1]) / wall,
            "bare_mib": self._bare.resident_mib()[1],
        }


def _signals(store: sqlite3.Connection) -> int:
    return int(store.execute("SELECT coalesce(sum(signals), 0) FROM sources").fetchone()[0])


def _lines(store: sqlite3.Connection) -> int:
    return int(store.execute("SELECT coalesce(sum(lines), 0) FROM sources").fetchone()[0])


def _bell(agent: Process, store: sqlite3.Connection, clock: Clock) -> dict[str, float]:
    """Every lesson's end and grace at once."""

    def closed() -> bool:
        found = store.execute("SELECT count(*) FROM windows WHERE start = ?", (NINE,))
        return bool(found.fetchone()[0] == CLASSES)

    used, began = agent.cpu_seconds(), time.monotonic()
    clock.go(AFTER_GRACE)
    until(closed, "the lessons' closing", alive=[agent])
    return {
        "bell_wall": time.monotonic() - began,
        "bell_cpu": agent.cpu_seconds() - used,
        "bell_mib": agent.resident_mib()[1],
    }
