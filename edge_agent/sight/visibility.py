"""What share of a lesson's expected device-minutes the sources could see, and who bypassed them. Pure."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Final

REACH_SECONDS: Final = 600  # a sleeping iPad talks about every ten minutes
WHOLE: Final = (0, 2**32 - 1)  # the span of a device of which nobody said when it was heard

Span = tuple[int, int]  # first and last second (UTC) in which a device was heard


@dataclass(frozen=True, slots=True)
class Seen:
    """One lesson's expected devices: `seconds` are those in which one was visible, over all of them.

    `bypassed` are devices that are there, and whose look-ups go past every source.
    """

    seconds: int = 0
    bypassed: int = 0


def visible_seconds(spans: Iterable[Span], start: int, end: int) -> int:
    """Device-seconds from each device's first to its last being heard, ten minutes more on either side."""
    return sum(
        max(0, min(last + REACH_SECONDS, end) - max(first - REACH_SECONDS, start)) for first, last in spans
    )


def bypassing(heard: Set[int], present: Set[int], addressed: Set[int], earlier: Set[int]) -> int:
    """How many devices of a lesson are there without ever being heard in it.

    `present` had traffic, or asked for a resolver or relay elsewhere; `addressed` are expected and were
    given an address, or an access point, on this day; `earlier` were heard in an earlier lesson of the
    day, so that whoever of them has fallen silent is asleep rather than elsewhere.
    """
    return len((present | (addressed - earlier)) - heard)


def share(seconds: int, expected: int, length: int) -> float:
    """Visible of the expected device-seconds, at most 1; 0 of a lesson that expects nobody."""
    whole = expected * length
    return min(1.0, seconds / whole) if whole > 0 else 0.0
