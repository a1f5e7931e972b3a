"""Who may have one of a few places for connections: a rule by which no one host keeps them all."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

PLACES: Final = 8
OF_ONE_HOST: Final = 4
THIS_MACHINE: Final = ""  # as a host: it may have every place that nobody else asks for


class Seat(NamedTuple):
    """A place that is taken: by which host, and when it last brought something (seconds, of any clock)."""

    host: str
    heard: float


class Answer(NamedTuple):
    """Whether somebody new is let in, and which seat (its index) is given up for that, if any."""

    is_let_in: bool
    instead_of: int | None = None


def admit(taken: Sequence[Seat], host: str, now: float, idle: float) -> Answer:
    """Whether `host` gets one place more. Pure.

    Up to its share it takes a free place, or one of whoever would still have as many as it has then: of the
    host with most places that which has been silent longest. Beyond that only a place that has been silent
    for `idle` seconds.
    """
    own = [number for number, seat in enumerate(taken) if seat.host == host]
    if host != THIS_MACHINE and len(own) >= OF_ONE_HOST:
        return _instead_of_an_idle_one(taken, own, now, idle)
    if len(taken) < PLACES:
        return Answer(True)
    counts = Counter(seat.host for seat in taken)
    most = max(counts.values())
    if most >= len(own) + 2:
        largest = (number for number, seat in enumerate(taken) if counts[seat.host] == most)
        return Answer(True, _quietest(taken, largest))
    return _instead_of_an_idle_one(taken, range(len(taken)), now, idle)


def _instead_of_an_idle_one(taken: Sequence[Seat], numbers: Iterable[int], now: float, idle: float) -> Answer:
    quietest = _quietest(taken, numbers)
    is_idle = now - taken[quietest].heard >= idle
    return Answer(True, quietest) if is_idle else Answer(False)


def _quietest(taken: Sequence[Seat], numbers: Iterable[int]) -> int:
    return min(numbers, key=lambda number: taken[number].heard)
