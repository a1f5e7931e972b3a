"""`python -m benchmarks.bigfile [--gib G]`: a long log with rubbish in it, replayed in bounded memory.

Writes the log to the disk, replays it by the real command's own functions in a process of its own, and
checks that every line is accounted for and that memory did not grow with the log.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.machine import WORK, describe, line

YEAR: Final = 2025
FIRST: Final = date(YEAR, 1, 6)
CLASSES: Final = 40
DEVICES: Final = 25
BELLS: Final = [(str(n), f"{8 + n:02d}:00", f"{8 + n:02d}:45") for n in range(1, 7)]
MOST_MIB: Final = 512  # of memory, whatever the log's length
KIB: Final = 1024
RESULTS: Final = Path(__file__).parent / "results"


def main(arguments: list[str]) -> int:
    """Make, replay, check, write what came of it; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bigfile", description=__doc__)
    parser.add_argument("--gib", type=float, default=10.0, help="how long the log is to be")
    parser.add_argument("--out", type=Path, help="where the result goes; by default benchmarks/results")
    wanted = parser.parse_args(arguments)
    with TemporaryDirectory(dir=WORK) as name:
        found = {**_make(Path(name), wanted.gib), **_alone(Path(name))}
    told = _told(found)
    path = wanted.out or RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-bigfile.md"
    path.write_text(told, encoding="utf-8")
    sys.stdout.write(f"{told}\n{path}\n")
    return 0 if found["peak_mib"] <= MOST_MIB and found["accounted"] else 1


def _make(root: Path, gib: float) -> dict[str, Any]:
    from benchmarks.make.long_log import GIB, write_long_log
    from benchmarks.make.schools import write_fleet
    from benchmarks.make.traffic import listed_names
    from edge_agent.commands.common import progress_bar
    from models.catalogue.load import load_catalogue

    _, fleet = write_fleet(root / "school", classes=CLASSES, devices=DEVICES, bells=BELLS)
    names = listed_names(load_catalogue(), 200)
    with progress_bar("Writing the log") as told:
        size = int(gib * GIB)
        lines, rubbish = write_long_log(root / "log", fleet, names, size, FIRST, told or (lambda share: None))
    return {"written": lines, "rubbish": rubbish, "bytes": (root / "log").stat().st_size}


def _alone(root: Path) -> dict[str, Any]:
    """The replay in a fresh process: its memory is its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        found: dict[str, Any] = pool.apply(replay, (str(root),))
    return found


def replay(root: str) -> dict[str, Any]:
    """Replay `root`/log with a progress bar; what came of it, seconds, and this process's peak memory."""
    from edge_agent.commands.common import progress_bar
    from edge_agent.paths import AgentFolder
    from edge_agent.replay.run import replay_folder

    folder = Path(root)
    idle = _peak()
    began, used = time.monotonic(), time.process_time()
    with progress_bar("Reading the log") as progress:
        done = replay_folder(
            AgentFolder(folder / "school"),
            [folder / "log"],
            folder / "records.jsonl",
            source="dnsmasq",
            year=YEAR,
            now=time.time(),
            progress=progress,
        )
    took, cpu = time.monotonic() - began, time.process_time() - used
    with (folder / "records.jsonl").open("rb") as file:
        starts = {json.loads(text)["start"][:10] for text in file if b'"kind":"lesson"' in text}
    return {
        "seconds": took,
        "cpu": cpu,
        "lines": done.lines,
        "signals": done.signals,
        "lessons": done.lessons,
        "records": done.records,
        "days": len(starts),
        "counts": {what: dict(reasons) for what, reasons in done.counts.items()},
        "idle_mib": idle,
        "peak_mib": _peak(),
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB


def _told(found: dict[str, Any]) -> str:
    refused = sum(found["counts"].get("refused", {}).values())
    # What is taken for rubbish must be all of the rubbish, and every line must have been seen.
    found["accounted"] = found["lines"] == found["written"] and refused == found["rubbish"]
    gib = found["bytes"] / 2**30
    rows = {
        "log": f"{gib:.2f} GiB, {found['written']:,} lines of {found['days']} days, "
        f"{found['rubbish']:,} of them rubbish",
        "read": f"{found['lines']:,} lines; {refused:,} refused: {found['counts'].get('refused', {})}",
        "came of it": f"{found['signals']:,} signals, {found['lessons']:,} lessons, "
        f"{found['records']:,} records",
        "took": f"{found['seconds']:.0f} s, {found['cpu']:.0f} s of one processor: "
        f"{found['lines'] / found['seconds']:,.0f} lines/s",
        "memory": f"{found['peak_mib']:.0f} MiB at most, {found['idle_mib']:.0f} MiB before; "
        f"allowed {MOST_MIB} MiB whatever the log's length",
        "every line accounted for": "yes" if found["accounted"] else "NO",
    }
    lines = [
        "# A long log with rubbish in it, replayed",
        "",
        f"Machine: {line(describe())}",
        "",
        "| | |",
        "|---|---|",
    ]
    return "\n".join([*lines, *(f"| {name} | {text} |" for name, text in rows.items())]) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
