"""What every row shares: its result, interleaved rounds, medians and percentiles, how big a run is."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Size = Literal["quick", "full"]
Met = Literal["yes", "no", "no target", "not measured yet: later"]

LATER: Final = "not measured yet: later"


@dataclass(frozen=True, slots=True)
class Row:
    """One budget and what came of it. Texts are for the table, `numbers` are for programs.

    `notes` say what the peer does and does not do, and whatever a reader of the figures must know.
    """

    name: str
    budget: str
    measured: str
    peer: str
    ratio: str
    met: Met
    notes: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


def met(good: bool, *, whole: bool = True) -> Met:
    """The verdict; a budget measured on a part of its load (`whole` false) can be missed, but not met."""
    if not good:
        return "no"
    return "yes" if whole else LATER


def interleaved(rounds: int, contenders: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Each contender's results in turn, A B A B ..., so that a slow minute of the machine hits them all.

    The order turns round every second time.
    """
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders)[:: 1 if number % 2 == 0 else -1]
        for name in names:
            found[name].append(contenders[name]())
    return found


def prose(text: str) -> str:
    """A text that was written over several lines as one."""
    return " ".join(text.split())


def median(values: Sequence[float]) -> float:
    """The median."""
    return float(statistics.median(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    return float(sorted(values)[max(0, math.ceil(share * len(values)) - 1)])


def big(value: float) -> str:
    """A rate for the table: 1.9 M, 410 K, 87."""
    for unit, size in ((" M", 1e6), (" K", 1e3)):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def times(value: float) -> str:
    """A ratio for the table."""
    return f"{value:.2g}x" if value < 10 else f"{value:,.0f}x"
