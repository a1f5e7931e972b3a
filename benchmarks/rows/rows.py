"""Rows scored in blocks: features to probabilities on one core, beside the graph, a newcomer, statsmodels."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.alone import alone, process_seconds
from benchmarks.harness import Row, Size, big, interleaved, median, met, prose, times

if TYPE_CHECKING:
    from models.scoring.blocks import Blocks
    from models.scoring.scorer import Scorer

ROWS: Final = {"quick": 100_000, "full": 1_000_000}
ROUNDS: Final = {"quick": 5, "full": 9}
WANTED: Final = 15e6
_REPEATS: Final = 101
# Parts of the rows for those that would take a minute for all.
_PARTS: Final = {"statsmodels": 50, "placed": 10, "exact": 4, "newcomer": 4, "graph": 4}

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


def measure(size: Size) -> Row:
    """The row."""
    found = alone(__name__, "run", count=ROWS[size], rounds=ROUNDS[size])
    rate = {
        name: found["rows"] / _PARTS.get(name, 1) / median(seconds)
        for name, seconds in found["seconds"].items()
    }
    peers = {name: rate["ours"] / rate[name] for name in ("graph", "newcomer", "statsmodels")}
    return Row(
        name="rows",
        budget="rows scored in blocks, one core: 15 M rows/s",
        measured=f"{big(rate['ours'])} rows/s ({big(rate['one dimension'])}/s on one dimension)",
        peer=f"onnxruntime {big(rate['graph'])}/s, plain numpy {big(rate['newcomer'])}/s,"
        f" statsmodels {big(rate['statsmodels'])}/s",
        ratio=", ".join(times(ratio) for ratio in peers.values()),
        met=met(rate["ours"] >= WANTED),
        notes=prose(
            f"""
            {found["rows"]:,} rows of 24 float32 features, a fifth missing, to the probabilities of TIM's five
            dimensions, written where the caller said; processor seconds of one thread on one core. Of each
            row's {1e9 / rate["ours"]:.0f} ns, {_said(found["stages_ns"])}; the rest is memory and calls. The
            exact float64 scorer, which also keeps what explains a score, does {big(rate["exact"])}/s, with
            sets and verdicts of a fit {big(rate["placed"])}/s. onnxruntime runs the exported graph of the
            same scales, which also gives scores and verdicts. Plain numpy is the formula as a
            newcomer writes it, in float64. statsmodels: five `OrderedModel.predict` on a fiftieth of the
            rows. Largest difference from the exact scorer: {found["difference"]:.0e}.
            """
        ),
        numbers={"rates": rate, "ratios": peers, **found},
    )


def run(count: int, rounds: int) -> dict[str, Any]:
    """Processor seconds of each contender by round; called in a process of its own."""
    from benchmarks.make.calibrated import calibrated
    from benchmarks.peers.one_window import statsmodels_predict
    from models.graph.read import sound
    from models.graph.rubric import rubric_fit
    from models.graph.write import encode
    from models.integration.load import load_model
    from models.scoring.ordinal import cutpoints
    from models.scoring.reference import shipped_reference
    from models.scoring.scorer import Scorer

    tim = load_model("tim")
    scorer, single = Scorer.for_model("tim"), Scorer.for_model("samr")
    placing = calibrated(tim)
    graph = sound(encode(tim, rubric_fit(tim, shipped_reference())), tim, "the graph")
    cuts = [cutpoints(dimension.base_rates) for dimension in tim.dimensions]
    predict = statsmodels_predict(scorer, cuts)
    x = _rows(scorer, count)
    exact_x = x.astype(np.float64)
    out, single_out = (
        np.zeros((*own.probabilities(x[:1]).T.shape[:2], count), np.float32) for own in (scorer, single)
    )
    part = {name: count // share for name, share in _PARTS.items()}

    contenders: dict[str, Callable[[], Any]] = {
        "ours": lambda: scorer.probabilities(x, out),
        "one dimension": lambda: single.probabilities(x, single_out),
        "exact": lambda: scorer.score(exact_x[: part["exact"]]),
        "placed": lambda: placing.score(exact_x[: part["placed"]]),
        "graph": lambda: graph.run(x[: part["graph"]]),
        "newcomer": lambda: _newcomer(scorer, cuts, exact_x[: part["newcomer"]]),
        "statsmodels": lambda: predict(exact_x[: part["statsmodels"]]),
    }
    for work in contenders.values():
        work()
    seconds = interleaved(
        rounds,
        {name: lambda work=work: process_seconds(work) for name, work in contenders.items()},  # type: ignore[misc]
    )
    some = slice(min(count, 20_000))
    exact = scorer.score(x[some]).probs
    others = (scorer.probabilities(x[some]), graph.run(x[some]).probs, _newcomer(scorer, cuts, exact_x[some]))
    return {
        "rows": count,
        "seconds": seconds,
        "stages_ns": _stages(scorer.blocks, x) if scorer.blocks else {},
        "difference": max(float(np.abs(other - exact).max()) for other in others),
    }


def _rows(scorer: "Scorer", count: int) -> Floats32:
    from models.features.set1 import EVIDENCE

    rng = np.random.default_rng(1)
    x = rng.normal(size=(count, len(scorer.reference.mean))).astype(np.float32)
    x = scorer.reference.mean.astype(np.float32) + scorer.reference.sd.astype(np.float32) * x
    x[rng.random(x.shape) < 0.2] = np.nan
    x[:, EVIDENCE] = scorer.reference.median_evidence * rng.lognormal(size=count)
    return x


def _newcomer(scorer: "Scorer", cuts: list[Floats], x: Floats) -> Floats:
    """The formula as one would first write it: whole arrays, one dimension after the other."""
    from models.features.set1 import EVIDENCE
    from models.scoring.shrink import NOISE_SHARE

    reference = scorer.reference
    e = np.minimum(x[:, EVIDENCE] / reference.median_evidence, 1.0)
    keep = e / ((1 - NOISE_SHARE) * e + NOISE_SHARE)
    z = np.nan_to_num((x - reference.mean) / reference.sd) * np.where(np.isnan(keep), 1.0, keep)[:, None]
    found = []
    for weights, own in zip(scorer.weights, cuts, strict=True):
        below = 1 / (1 + np.exp((z @ weights)[:, None] - own))
        found.append(np.diff(below, axis=1, prepend=0.0, append=1.0))
    return np.stack(found, axis=1)


def _stages(blocks: "Blocks", x: Floats32) -> dict[str, float]:
    """Nanoseconds a row of the parts of one block that is in the cache, medians."""
    from models.scoring.blocks import BLOCK, Scratch

    rows = x[:BLOCK]
    room = Scratch.make(len(rows), blocks.shape)
    out = np.empty((*blocks.shape, len(rows)), np.float32)
    parts: dict[str, Callable[[], None]] = {
        "standardising and missing values": lambda: blocks.standardise(rows, room),
        "the matrix product": lambda: blocks.score(room),
        "shrinking": lambda: blocks.shrink(rows, room),
        "stages": lambda: blocks.spread(room, out),
    }
    taken: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(_REPEATS):
        for name, work in parts.items():
            began = time.perf_counter_ns()
            work()
            taken[name].append((time.perf_counter_ns() - began) / len(rows))
    return {name: median(own) for name, own in taken.items()}


def _said(stages: dict[str, float]) -> str:
    return ", ".join(f"{name} {taken:.0f}" for name, taken in stages.items())
