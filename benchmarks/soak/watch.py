"""What is looked at every five seconds: processor, memory, files, and how long things take to be on disk."""

import sqlite3
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.harness import median
from benchmarks.processes import Process
from benchmarks.soak.load import Load

EACH_S: Final = 5.0
_LOOK_S: Final = 0.01
_MIB: Final = 2**20


@dataclass(slots=True)
class Sample:
    """One look. Shares are of one core since the look before; sizes in MiB; latencies in seconds.

    to_store: from a line written to its signal on the agent's disk. to_hub: from a record accepted into the
    agent's outbox to the hub's acknowledgement, the median since the look before; NaN where there was none.
    """

    minute: float
    agent_core: float
    hub_core: float
    agent_mib: float
    hub_mib: float
    agent_file: float
    agent_log: float
    hub_file: float
    hub_log: float
    signals: int
    lessons: int
    records: int
    to_store: float = float("nan")
    to_hub: float = float("nan")


@dataclass(slots=True)
class Watch:
    """Looks at a running agent and hub; `samples` are what was seen, `most_to_hub` the slowest record."""

    agent: Process
    hub: Process
    agent_store: sqlite3.Connection
    hub_store: sqlite3.Connection
    files: tuple[Path, Path]
    load: Load
    samples: list[Sample] = field(default_factory=list)
    to_hub: list[float] = field(default_factory=list)
    _marks: "deque[tuple[Sample, int, float]]" = field(default_factory=deque)
    _settled: int = 0

    def run(self, seconds: float) -> None:
        """Look every five seconds for so long. RuntimeError if one of the two ends by itself."""
        began = time.monotonic()
        before = began, self.agent.cpu_seconds(), self.hub.cpu_seconds()
        number = 0
        while (now := time.monotonic()) < began + seconds:
            self._settle(now)
            if now >= began + (number + 1) * EACH_S:
                number += 1
                for process in (self.agent, self.hub):
                    process.check()
                present = now, self.agent.cpu_seconds(), self.hub.cpu_seconds()
                self._look((now - began) / 60, before, present)
                before = present
            time.sleep(_LOOK_S)

    def finish(self) -> None:
        """Give the marks that are still out their time; call when everything is on disk."""
        self._settle(time.monotonic())

    def _look(
        self, minute: float, before: tuple[float, float, float], now: tuple[float, float, float]
    ) -> None:
        wall, agent_cpu, hub_cpu = (new - old for new, old in zip(now, before, strict=True))
        agent_file, hub_file = self.files
        (lessons,) = self.agent_store.execute("SELECT count(*) FROM windows").fetchone()
        (records,) = self.hub_store.execute("SELECT count(*) FROM lessons").fetchone()
        sample = Sample(
            minute=minute,
            agent_core=agent_cpu / wall,
            hub_core=hub_cpu / wall,
            agent_mib=self.agent.resident_mib()[0],
            hub_mib=self.hub.resident_mib()[0],
            agent_file=_size(agent_file),
            agent_log=_size(agent_file.with_name(f"{agent_file.name}-wal")),
            hub_file=_size(hub_file),
            hub_log=_size(hub_file.with_name(f"{hub_file.name}-wal")),
            signals=stored(self.agent_store)[1],
            lessons=lessons,
            records=records,
            to_hub=self._records_since(),
        )
        self.samples.append(sample)
        self._marks.append((sample, *self.load.newest))

    def _settle(self, now: float) -> None:
        if not self._marks:
            return
        lines, _ = stored(self.agent_store)
        while self._marks and lines >= self._marks[0][1]:
            sample, _, since = self._marks.popleft()
            sample.to_store = now - since

    def _records_since(self) -> float:
        found = self.agent_store.execute(
            "SELECT number, settled - created FROM outbox WHERE state = 'sent' AND number > ?",
            (self._settled,),
        ).fetchall()
        if not found:
            return float("nan")
        self._settled = max(number for number, _ in found)
        taken = [float(seconds) for _, seconds in found]
        self.to_hub += taken
        return median(taken)


def stored(store: sqlite3.Connection) -> tuple[int, int]:
    """Lines and signals that are on the agent's disk."""
    lines, signals = store.execute(
        "SELECT coalesce(sum(lines), 0), coalesce(sum(signals), 0) FROM sources"
    ).fetchone()
    return int(lines), int(signals)


def _size(path: Path) -> float:
    try:
        return path.stat().st_size / _MIB
    except FileNotFoundError:
        return 0.0
