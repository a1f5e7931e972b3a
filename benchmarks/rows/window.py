"""Budget 3: one window scored, its features given."""

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.alone import alone
from benchmarks.harness import Row, Size, interleaved, median, met, percentile, prose, times

CALLS: Final = {"quick": 1_000, "full": 10_000}
ROUNDS: Final = {"quick": 3, "full": 9}
WANTED_US: Final = 50.0

Floats = NDArray[np.float64]


def measure(size: Size) -> Row:
    """The row."""
    found = alone(__name__, "run", calls=CALLS[size], rounds=ROUNDS[size])
    middle = {name: median(rounds) for name, rounds in found["median_us"].items()}
    return Row(
        name="window",
        budget="one window scored, features given: 50 us at the median",
        measured=f"{middle['ours']:.1f} us (p95 {median(found['p95_us']):.1f} us) by the rubric,"
        f" {middle['fitted']:.1f} us with a fit",
        peer=f"statsmodels {middle['statsmodels']:.0f} us, plain Python {middle['plain']:.1f} us",
        ratio=f"{times(middle['statsmodels'] / middle['ours'])}, {times(middle['plain'] / middle['ours'])}",
        met=met(max(middle["ours"], middle["fitted"]) <= WANTED_US),
        notes=prose(
            f"""
            Wall time of one call on one row of 24 features, five dimensions; median of the calls, then of
            the rounds. With a fit every dimension has sets, verdicts and a noise share of its own.
            statsmodels: five `OrderedModel.predict` with the rubric's parameters. Plain Python: the formula
            over the rubric's non-zero weights. Both give the probabilities alone, without the contributions
            by feature, verdicts and checks that ours gives; largest difference {found["difference"]:.0e}.
            """
        ),
        numbers={"us": middle, **found},
    )


def run(calls: int, rounds: int) -> dict[str, Any]:
    """Microseconds by contender and round; called in a process of its own."""
    from benchmarks.make.calibrated import calibrated
    from benchmarks.peers.one_window import plain_predict, statsmodels_predict
    from models.features.set1 import EVIDENCE
    from models.scoring.ordinal import cutpoints
    from models.scoring.scorer import Scorer

    scorer = Scorer.for_model("tim")
    cuts = [cutpoints(dimension.base_rates) for dimension in scorer.model.dimensions]
    rng = np.random.default_rng(1)
    rows = scorer.reference.mean + scorer.reference.sd * rng.normal(size=(64, 1, len(scorer.reference.mean)))
    rows[:, 0, EVIDENCE] = np.abs(rows[:, 0, EVIDENCE])
    rows[:, 0, 6] = np.nan  # one that the sources could not see
    contenders: dict[str, Callable[[Floats], Any]] = {
        "ours": scorer.score,
        "fitted": calibrated(scorer.model).score,
        "statsmodels": statsmodels_predict(scorer, cuts),
        "plain": plain_predict(scorer, cuts),
    }
    p95: list[float] = []

    def one(name: str) -> float:
        work = contenders[name]
        own = calls if name != "statsmodels" else max(50, calls // 20)
        taken = []
        for i in range(own):
            row = rows[i % len(rows)]
            began = time.perf_counter_ns()
            work(row)
            taken.append((time.perf_counter_ns() - began) / 1000)
        if name == "ours":
            p95.append(percentile(taken, 0.95))
        return median(taken)

    found = interleaved(rounds, {name: lambda name=name: one(name) for name in contenders})  # type: ignore[misc]
    differences = [
        float(np.abs(scorer.score(row).probs[0] - np.array(contenders[name](row))).max())
        for row in rows
        for name in ("statsmodels", "plain")
    ]
    return {"median_us": found, "p95_us": p95, "difference": max(differences)}
