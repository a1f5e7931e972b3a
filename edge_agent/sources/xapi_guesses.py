"""How often an address has said a wrong password of late; who says the right one is never asked about it."""

import math
import time
from collections.abc import Callable
from typing import Final

import structlog

WRONG_A_MINUTE: Final = 10
SECONDS: Final = 60.0
ADDRESSES: Final = 1024
LONGEST: Final = 64  # characters of an address: a proxy may pass on whatever it was told


class Guesses:
    """A bounded table: where more addresses guess than it holds, the one that began first is forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._log = structlog.get_logger("xapi")
        self._wrong: dict[str, tuple[float, int]] = {}  # since when and how often, the oldest first

    def __len__(self) -> int:
        return len(self._wrong)

    def wrong(self, address: str) -> int:
        """Count a wrong try; seconds (whole ones) after which the next is looked at, 0 for at once."""
        now, name = self._clock(), address[:LONGEST]
        since, times = self._wrong.get(name, (now, 0))
        if now - since >= SECONDS:
            del self._wrong[name]
            since, times = now, 0
        elif not times and len(self._wrong) >= ADDRESSES:
            del self._wrong[next(iter(self._wrong))]
        times += 1
        self._wrong[name] = since, times
        if times == WRONG_A_MINUTE + 1:
            self._log.warning("wrong passwords", times=times)
        return math.ceil(since + SECONDS - now) if times > WRONG_A_MINUTE else 0
