"""Budget 1: signals to features to placements on one core, beside Polars and DuckDB."""

import importlib
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.alone import alone, process_seconds
from benchmarks.harness import Row, Size, big, interleaved, median, met, prose, times

SIGNALS: Final = {"quick": 200_000, "full": 10_000_000}
# Polars and DuckDB hold several copies of what they work on, and take some fifteen seconds for ten million.
PEERS: Final = {"quick": 200_000, "full": 2_000_000}
ROUNDS: Final = {"quick": 2, "full": 3}
WANTED: Final = 20.0
WANTED_OF_C: Final = 4.0

Floats = NDArray[np.float64]


def measure(size: Size) -> Row:
    """The row."""
    large = alone(__name__, "ours", count=SIGNALS[size], rounds=ROUNDS[size])
    beside = alone(__name__, "run", count=PEERS[size], rounds=ROUNDS[size])
    rate = {name: beside["signals"] / median(seconds) for name, seconds in beside["seconds"].items()}
    ratios = {name: rate["compiled"] / own for name, own in rate.items() if name != "compiled"}
    full = {name: large["signals"] / median(seconds) for name, seconds in large["seconds"].items()}
    in_c = f", one pass in C {big(rate['c'])}/s" if "c" in rate else ""
    of_c = f", {1 / ratios['c']:.1f} times the time of C" if "c" in rate else ""
    good = min(ratios["polars"], ratios["duckdb"]) >= WANTED and 1 / ratios.get("c", 1.0) <= WANTED_OF_C
    stages = "; ".join(f"{name} {taken:.1f}" for name, taken in large["stages"].items())
    return Row(
        name="signals",
        budget="signals -> features -> placements, one core: at least 20x the same result through Polars"
        " and through DuckDB, and within 4x of a one-pass loop in C",
        measured=f"{big(full['compiled'])} signals/s ({big(full['numpy'])}/s by numpy alone)",
        peer=f"Polars {big(rate['polars'])}/s, DuckDB {big(rate['duckdb'])}/s{in_c}",
        ratio=f"{times(ratios['polars'])}, {times(ratios['duckdb'])}{of_c}",
        met=met(good),
        notes=prose(
            f"""
            {large["signals"]:,} contacts of {large["windows"]:,} simulated lessons, 40 at a time, in order
            of arrival, held in memory; processor seconds of one thread on one core. Ratios are from
            interleaved rounds on {beside["signals"]:,} of them ({big(rate["compiled"])}/s ours). Polars and
            DuckDB: one expression graph and one query for all 14 features that a resolver's log can see,
            nothing left out, then the same scorer; ours computes the 10 others too before it marks them as
            not visible. {_said_of_c(rate)} Largest difference between any two: {beside["difference"]:.0e}.
            Compiled once for a machine and kept: {large["loading_seconds"]:.1f} s to load this time.
            Nanoseconds a signal, features only: {stages}.
            """
        ),
        numbers={"rates": rate, "ratios": ratios, "full": large, **beside},
    )


def _said_of_c(rate: Mapping[str, float]) -> str:
    if "c" not in rate:
        return "No compiler of C was found: that peer is left out."
    return (
        "The loop in C is given its signals sorted by window, device, second and app, at no cost, which ours"
        " must do itself, and knows contacts without amounts only."
    )


def ours(count: int, rounds: int) -> dict[str, Any]:
    """Seconds of both engines by round, and of the compiled one's stages; in a process of its own."""
    from benchmarks.make.signals import contacts
    from models.catalogue.load import load_catalogue
    from models.features.compute import Engine, compute_features
    from models.scoring.scorer import Scorer

    catalogue = load_catalogue()
    signals, windows = contacts(catalogue, seed=1, count=count)
    channels, off_task = catalogue.channel_weights(), catalogue.off_task()
    scorer = Scorer.for_model("tim")

    def work(engine: Engine) -> None:
        scorer.score(compute_features(signals, windows, channels, off_task, engine=engine))

    loading = process_seconds(lambda: importlib.import_module("models.features.kernel.run"))
    from benchmarks.peers.stages import nanoseconds

    engines: tuple[Engine, ...] = ("compiled", "numpy")
    contenders: dict[str, Callable[[], float]] = {
        name: lambda name=name: process_seconds(lambda: work(name))  # type: ignore[misc]
        for name in engines
    }
    columns = (signals.window, signals.t, signals.device, signals.app, signals.action, signals.amount)
    return {
        "signals": len(signals),
        "windows": len(windows),
        "loading_seconds": loading,
        "seconds": interleaved(rounds, contenders),
        "stages": nanoseconds(
            rounds, columns, (windows.start, windows.end - windows.start, channels, off_task)
        ),
    }


def run(count: int, rounds: int) -> dict[str, Any]:
    """Seconds of each contender by round; called in a process of its own."""
    import duckdb
    import polars as pl

    from benchmarks.make.signals import contacts
    from benchmarks.peers.duckdb_features import QUERY
    from benchmarks.peers.one_pass import one_pass
    from benchmarks.peers.polars_features import polars_features
    from models.catalogue.load import load_catalogue
    from models.features.compute import compute_features
    from models.features.set1 import FEATURES
    from models.scoring.scorer import Scorer
    from shared.words import CHANNELS

    catalogue = load_catalogue()
    signals, windows = contacts(catalogue, seed=1, count=count)
    channels, off_task = catalogue.channel_weights(), catalogue.off_task()
    scorer = Scorer.for_model("tim")

    by_window = {
        "window": np.arange(len(windows), dtype=np.int32),
        "start": windows.start,
        "end": windows.end,
    }
    by_signal = {"window": signals.window, "t": signals.t, "device": signals.device, "app": signals.app}
    by_app: dict[str, Any] = {"app": np.arange(len(channels), dtype=np.int32), "off_task": off_task}
    by_app |= {name: np.ascontiguousarray(channels[:, i]) for i, name in enumerate(CHANNELS)}
    frames = [pl.DataFrame(table) for table in (by_signal, by_window, by_app)]
    database = duckdb.connect(config={"threads": 1})
    for name, table in (("signals", by_signal), ("windows", by_window), ("apps", by_app)):
        database.register("held", table)
        database.execute(f"CREATE TABLE {name} AS SELECT * FROM held")  # noqa: S608 - the names above
        database.unregister("held")

    def polars() -> Floats:
        table = polars_features(*frames)
        return _matrix({name: table[name].to_numpy() for name in table.columns}, FEATURES)

    contenders: dict[str, Callable[[], Floats]] = {
        "compiled": lambda: compute_features(signals, windows, channels, off_task, engine="compiled"),
        "numpy": lambda: compute_features(signals, windows, channels, off_task),
        "polars": polars,
        "duckdb": lambda: _matrix(database.execute(QUERY).fetchnumpy(), FEATURES),
    }
    with tempfile.TemporaryDirectory() as folder:
        loop = one_pass(Path(folder), signals, windows, channels, off_task)
    if loop is not None:
        contenders["c"] = loop
    features = {name: work().copy() for name, work in contenders.items()}
    seconds = interleaved(
        rounds,
        {
            name: lambda work=work: process_seconds(lambda: scorer.score(work()))  # type: ignore[misc]
            for name, work in contenders.items()
        },
    )
    return {
        "signals": len(signals),
        "windows": len(windows),
        "seconds": seconds,
        "difference": max(_difference(features["compiled"], own) for own in features.values()),
    }


def _matrix(table: Mapping[str, Any], names: tuple[str, ...]) -> Floats:
    """Feature rows [w, 24] as the scorer takes them, NaN for what the table lacks or has no value for."""
    rows = len(table["window"])
    columns = [
        np.ma.filled(table[name], np.nan) if name in table else np.full(rows, np.nan) for name in names
    ]
    return np.column_stack([column.astype(np.float64) for column in columns])


def _difference(ours: Floats, theirs: Floats) -> float:
    if (np.isnan(ours) != np.isnan(theirs)).any():
        return float("inf")
    return float(np.nanmax(np.abs(ours - theirs)))
