"""Rows scored in blocks: features to probabilities on one core, beside the graph, a newcomer, statsmodels."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.alone import alone, process_seconds
from benchmarks.harness import Row, Size, big, interleaved, median, met, prose, times

ROWS: Final = {"quick": 100_000, "full": 1_000_000}
ROUNDS: Final = {"quick": 5, "full": 9}
WANTED: Final = 15e6
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
    peers = {
        name: rate["ours"] / rate[name] for name in ("graph", "newcomer", "statsmodels") if name in rate
    }
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
            same scales, sets and verdicts included where there are any. Plain numpy is the formula as a
            newcomer writes it, in float64. statsmodels: five `OrderedModel.predict` on a fiftieth of the
            rows. Largest difference from the exact scorer: {found["difference"]:.0e}.
            """
        ),
        numbers={"rates": rate, "ratios": peers, **found},
    )


def run(count: int, rounds: int) -> dict[str, Any]:
    """Processor seconds of each contender by round; called in a process of its own."""
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
    placing = Scorer.fitted(tim, _with_sets(rubric_fit(tim, shipped_reference())))
    graph = sound(encode(tim, rubric_fit(tim, shipped_reference())), tim, "the graph")
    cuts = [cutpoints(dimension.base_rates) for dimension in tim.dimensions]
    predict = statsmodels_predict(scorer, cuts)
    x = _rows(scorer, count)
    exact_x = x.astype(np.float64)
    out = {own: np.zeros((own.cuts.shape[1] + 1, len(own.dimensions), count), np.float32) for own in (scorer, single)}
    part = {name: count // share for name, share in _PARTS.items()}

    contenders: dict[str, Callable[[], Any]] = {
        "ours": lambda: scorer.probabilities(x, out[scorer]),
        "one dimension": lambda: single.probabilities(x, out[single]),
        "exact": lambda: scorer.score(exact_x[: part["exact"]]),
        "placed": lambda: placing.score(exact_x[: part["placed"]]),
        "graph": lambda: graph.run(x[: part["graph"]]),
        "newcomer": lambda: _newcomer(scorer, cuts, exact_x[: part["newcomer"]]),
        "statsmodels": lambda: predict(exact_x[: part["statsmodels"]]),
    }
    for work in contenders.values():
        work()
    seconds = interleaved(
        rounds, {name: lambda work=work: process_seconds(work) for name, work in contenders.items()}  # type: ignore[misc]
    )
    some = slice(min(count, 20_000))
    exact = scorer.score(x[some]).probs
    others = (scorer.probabilities(x[some]), graph.run(x[some]).probs, _newcomer(scorer, cuts, exact_x[some]))
    return {
        "rows": count,
        "seconds": seconds,
        "stages_ns": _stages(scorer, x),
        "difference": max(float(np.abs(other - exact).max()) for other in others),
    }


def _rows(scorer: Any, count: int) -> Floats32:
    rng = np.random.default_rng(1)
    from models.features.set1 import EVIDENCE

    x = rng.normal(size=(count, len(scorer.reference.mean))).astype(np.float32)
    x = scorer.reference.mean.astype(np.float32) + scorer.reference.sd.astype(np.float32) * x
    x[rng.random(x.shape, np.float32) < 0.2] = np.nan
    x[:, EVIDENCE] = scorer.reference.median_evidence * rng.lognormal(size=count)
    return x


def _with_sets(fit: Any) -> Any:
    """The fit as if 200 ratings had calibrated it, three evidence groups a dimension."""
    import msgspec

    from models.scoring.fit_file import EvidenceGroup, Sets, sealed

    groups = tuple(EvidenceGroup(*group) for group in ((0.0, 0.85, 66), (0.6, 0.8, 67), (1.2, 0.75, 67)))
    dimensions = {
        name: msgspec.structs.replace(own, calibrated=True, ratings=200, sets=Sets("cross", 0.1, groups))
        for name, own in fit.dimensions.items()
    }
    return sealed(msgspec.structs.replace(fit, dimensions=dimensions))


def _newcomer(scorer: Any, cuts: list[Floats], x: Floats) -> Floats:
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


def _stages(scorer: Any, x: Floats32) -> dict[str, float]:
    """Nanoseconds a row of the parts of one block, in the cache, best of many."""
    from models.scoring.blocks import Parts, timed_parts

    raise NotImplementedError(Parts, timed_parts, scorer, x)


def _said(stages: dict[str, float]) -> str:
    return ", ".join(f"{name} {taken:.0f}" for name, taken in stages.items())
