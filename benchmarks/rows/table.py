"""Budget 9: a CSV of ten million signals, its rows in no order, to features in bounded memory."""

import csv
import resource
from collections import deque
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from benchmarks.alone import alone, process_seconds
from benchmarks.harness import Row, Size, big, interleaved, median, met, prose, times
from benchmarks.machine import WORK

SIGNALS: Final = {"quick": 300_000, "full": 10_000_000}
ROUNDS: Final = {"quick": 2, "full": 1}
ALL_SIGNALS: Final = 10_000_000
WANTED_MIB: Final = 400.0
CONTENDERS: Final = ("ours", "reading", "polars", "csv")


def measure(size: Size) -> Row:
    """The row."""
    peak: dict[str, float] = {}

    def seconds(name: str, folder: Path) -> float:
        found = alone(__name__, "run", who=name, folder=str(folder))
        peak[name] = max(peak.get(name, 0.0), found["peak_mib"])
        return float(found["seconds"])

    with TemporaryDirectory(dir=WORK) as place:
        folder = Path(place)
        made = alone(__name__, "make", folder=place, count=SIGNALS[size])
        rounds = interleaved(
            ROUNDS[size],
            {name: lambda name=name: seconds(name, folder) for name in CONTENDERS},  # type: ignore[misc]
        )
        difference = alone(__name__, "compare", folder=place)["difference"]
    rate = {name: made["signals"] / median(taken) for name, taken in rounds.items()}
    return Row(
        name="table",
        budget="a CSV of ten million signals in any order -> features: under 400 MiB, however large the file",
        measured=f"{peak['ours']:.0f} MiB, {big(rate['ours'])} signals/s"
        f" (reading alone {big(rate['reading'])}/s)",
        peer=f"reading alone: Polars {peak['polars']:.0f} MiB, {big(rate['polars'])}/s;"
        f" csv {peak['csv']:.0f} MiB, {big(rate['csv'])}/s",
        ratio=f"{times(rate['reading'] / rate['polars'])}, {times(rate['reading'] / rate['csv'])} as readers",
        met=met(peak["ours"] < WANTED_MIB, whole=made["signals"] >= ALL_SIGNALS),
        notes=prose(
            f"""
            {made["signals"]:,} contacts of {made["windows"]:,} simulated lessons, {made["mib"]:.0f} MiB, rows
            shuffled, so that every lesson's are scattered over the whole file. Ours is the command `models
            features`: it reads, checks every cell, sorts the rows by lesson in a temporary file, computes all
            features and writes them; `reading` is its reading and checking alone. The peers compute nothing:
            Polars reads the file into a table in memory (`read_csv`, one thread) without knowing which
            lessons, apps and actions there are; Python's csv module gives every row as texts, of which none
            is kept. Processor seconds of one thread on one core, each in a process of its own, whose peak of
            resident memory includes the interpreter and what was imported. Largest difference from the
            features of the same signals held in memory: {difference:.0e}.
            """
        ),
        numbers={"rates": rate, "peak_mib": peak, "seconds": rounds, "difference": difference, **made},
    )


def make(folder: str, count: int) -> dict[str, Any]:
    """S.csv and W.csv, and the same signals as columns for `compare`."""
    import polars as pl

    from benchmarks.make.signals import contacts
    from models.catalogue.load import load_catalogue

    catalogue = load_catalogue()
    signals, windows = contacts(catalogue, seed=1, count=count)
    order = np.random.default_rng(1).permutation(len(signals))
    apps = pl.Series([None, *(app.id for app in catalogue.apps)])
    names = pl.Series([f"lesson-{i:06}" for i in range(len(windows))])
    place = Path(folder)
    pl.DataFrame(
        {
            "window": names.gather(signals.window[order]),
            "t": signals.t[order],
            "device": [f"{device:016x}" for device in signals.device[order].tolist()],
            "app": apps.gather(signals.app[order]),
            "action": pl.repeat("contact", len(signals), eager=True),
            "amount": pl.repeat(0, len(signals), eager=True),
        }
    ).write_csv(place / "S.csv")
    pl.DataFrame(
        {
            "window": names,
            "school": pl.repeat("Alder", len(windows), eager=True),
            "start": windows.start,
            "end": windows.end,
            "expected": windows.expected,
            "sources": [";".join(kinds) for kinds in windows.kinds],
        }
    ).write_csv(place / "W.csv")
    columns = {name: getattr(signals, name) for name in ("window", "t", "device", "app", "action", "amount")}
    np.savez(place / "signals.npz", **columns)
    size = (place / "S.csv").stat().st_size
    return {"signals": len(signals), "windows": len(windows), "mib": size / 2**20}


def run(who: str, folder: str) -> dict[str, float]:
    """Processor seconds of one contender and its process's peak in MiB; called in a process of its own."""
    place = Path(folder)
    signals, windows = place / "S.csv", place / "W.csv"

    def ours() -> Callable[[], object]:
        from models.commands.features import features
        from models.features import compute  # noqa: F401 - so that loading it is not measured

        return lambda: features(signals, windows, place / "F.csv")

    def reading() -> Callable[[], object]:
        from models import tables
        from models.catalogue.load import load_catalogue

        ids, apps = tables.read_windows(windows).ids, load_catalogue().by_id
        return lambda: deque(tables.signal_rows(signals, ids, apps), maxlen=0)

    def polars() -> Callable[[], object]:
        import polars as pl

        return lambda: pl.read_csv(signals)

    def plain() -> Callable[[], object]:
        def work() -> None:
            with signals.open(newline="") as file:
                deque(csv.reader(file), maxlen=0)

        return work

    work = {"ours": ours, "reading": reading, "polars": polars, "csv": plain}[who]()
    return {"seconds": process_seconds(work), "peak_mib": _peak_mib()}


def compare(folder: str) -> dict[str, float]:
    """The largest difference between F.csv and the features of the same signals held in memory."""
    from models import tables
    from models.catalogue.load import load_catalogue
    from models.features.compute import Signals, compute_features

    place = Path(folder)
    catalogue = load_catalogue()
    with np.load(place / "signals.npz") as held:
        signals = Signals(**held)
    windows = tables.read_windows(place / "W.csv").columns
    x = compute_features(signals, windows, catalogue.channel_weights(), catalogue.off_task())
    found = tables.read_features(place / "F.csv").x
    same = np.isnan(x) == np.isnan(found)
    return {"difference": float(np.nanmax(np.abs(x - found))) if same.all() else float("inf")}


def _peak_mib() -> float:
    """Of this process since it began its program; what getrusage says includes the one it was forked from."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes where there is no /proc
    lines = status.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
