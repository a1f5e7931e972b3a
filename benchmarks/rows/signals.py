"""Budget 1: signals to features to placements on one core, beside Polars and DuckDB."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.alone import alone, process_seconds
from benchmarks.harness import Row, Size, big, interleaved, median, met, prose, times

SIGNALS: Final = {"quick": 200_000, "full": 1_000_000}
ROUNDS: Final = {"quick": 2, "full": 5}
WANTED: Final = 20.0

Floats = NDArray[np.float64]


def measure(size: Size) -> Row:
    """The row."""
    found = alone(__name__, "run", count=SIGNALS[size], rounds=ROUNDS[size])
    rate = {name: found["signals"] / median(seconds) for name, seconds in found["seconds"].items()}
    ratios = {name: rate["ours"] / rate[name] for name in ("polars", "duckdb")}
    return Row(
        name="signals",
        budget="signals -> features -> placements, one core: at least 20x the same result through Polars"
        " and through DuckDB",
        measured=f"{big(rate['ours'])} signals/s",
        peer=f"Polars {big(rate['polars'])}/s, DuckDB {big(rate['duckdb'])}/s",
        ratio=f"{times(ratios['polars'])}, {times(ratios['duckdb'])}",
        met=met(min(ratios.values()) >= WANTED),
        notes=prose(
            f"""
            {found["signals"]:,} contacts of {found["windows"]:,} simulated lessons, 40 at a time, in order
            of arrival, held in memory by each; processor seconds of one thread on one core. The peers are
            one Polars expression graph and one DuckDB query for all 14 features that a resolver's log can
            see, nothing left out, then the same scorer; ours computes the 10 others too before it marks them
            as not visible. Largest difference from the peers' features: {found["difference"]:.0e}.
            """
        ),
        numbers={"rates": rate, "ratios": ratios, **found},
    )


def run(count: int, rounds: int) -> dict[str, Any]:
    """Seconds of each contender by round; called in a process of its own."""
    import duckdb
    import polars as pl

    from benchmarks.make.signals import contacts
    from benchmarks.peers.duckdb_features import QUERY
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

    def ours() -> Floats:
        return compute_features(signals, windows, channels, off_task)

    def polars() -> Floats:
        table = polars_features(*frames)
        return _matrix({name: table[name].to_numpy() for name in table.columns}, FEATURES)

    def duck() -> Floats:
        return _matrix(database.execute(QUERY).fetchnumpy(), FEATURES)

    contenders = {"ours": ours, "polars": polars, "duckdb": duck}
    features = {name: work() for name, work in contenders.items()}
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
        "difference": max(_difference(features["ours"], features[name]) for name in ("polars", "duckdb")),
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
