"""Which weeks of a usage export hold enough to say what they were for, and at which levels; pure."""

from collections.abc import Sequence
from statistics import median
from typing import Final

LEAST_OF_MEDIAN: Final = 0.05
LEAST_COUNTED: Final = 300.0  # in minutes, what ten learners need half an hour for
LEAST_SPREAD: Final = 3.0  # products, were each used as much as the others


def telling(counted: Sequence[float]) -> list[bool]:
    """Whether each week has a twentieth of what the middle week counts, or more."""
    least = median(counted) * LEAST_OF_MEDIAN if counted else 0.0
    return [amount >= least for amount in counted]


def tells_levels(counted: float, app_entropy: float | None) -> bool:
    """Whether a telling week is more than a few minutes, and more than what one product is usually for.

    `app_entropy` is in bits, as the week's features have it.
    """
    return counted >= LEAST_COUNTED and app_entropy is not None and 2.0**app_entropy >= LEAST_SPREAD
