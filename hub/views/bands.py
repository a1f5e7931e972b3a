"""The wide band of a dimension that is never shown as one stage; pure."""

from collections.abc import Sequence
from typing import Final

HELD: Final = 0.8
NARROWEST: Final = 2


def band(shares: Sequence[float], chosen: tuple[int, int] | None = None) -> tuple[int, int] | None:
    """Lowest and highest stage of the band; None where there is nothing to spread.

    `chosen` is a set of stages to show instead of the shortest run that holds 80% (of equals, the one that
    holds most). Never one stage alone: its likelier neighbour joins it.
    """
    if not shares:
        return None
    runs = (
        _around(shares, *chosen)
        if chosen
        else [
            (high - low, -sum(shares[low : high + 1]), low, high)
            for low in range(len(shares))
            for high in range(low + NARROWEST - 1, len(shares))
            if sum(shares[low : high + 1]) >= HELD * sum(shares) - 1e-9
        ]
    )
    _, _, low, high = min(runs)
    return low, high


def _around(shares: Sequence[float], low: int, high: int) -> list[tuple[int, float, int, int]]:
    """The set itself, or each run of two around its one stage."""
    if high > low:
        return [(high - low, 0.0, low, high)]
    pairs = [(at, at + 1) for at in (low - 1, low) if at >= 0 and at + 1 < len(shares)]
    return [(1, -sum(shares[a : b + 1]), a, b) for a, b in pairs]
