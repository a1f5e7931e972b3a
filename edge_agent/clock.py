"""What time it is: the machine's clock, or in a simulation a file that says so."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings
from shared.errors import SettingsError

LEAP_SECONDS: Final = 6 * 3600.0
STEADY_SECONDS: Final = 600.0
STEADY_WITHIN: Final = 60.0  # seconds by which a steady clock may still be corrected


class Clock(Protocol):
    """Seconds since 1970, UTC."""

    def now(self) -> float:
        """The present moment."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()


class FileClock:
    """A simulated clock: `{"simulated": s, "real": r, "rate": k}` means s + k * (real now - r)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read()

    def now(self) -> float:
        """Simulated seconds since 1970, UTC."""
        self._read()
        return self._simulated + self._rate * (time.time() - self._real)

    def _read(self) -> None:
        try:
            table = json.loads(self._path.read_text())
            self._simulated = float(table["simulated"])
            self._real = float(table["real"])
            self._rate = float(table["rate"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"{self._path} is no simulated clock ({error}): a real school has no [clock] in agent.toml"
            ) from None


class LeapWatch:
    """Notices that the machine's clock leapt ahead: until it is steady nothing must be done for good.

    Measured against a clock that only ever counts on. A clock put back is right at once: nothing is over
    earlier for it. One that was wrong already when the agent started cannot be told from a right one.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ahead: float | None = None  # of the monotonic clock, when it was last believed
        self._leapt: float | None = None  # the same since a leap that is not believed yet
        self._since = 0.0  # when that began (monotonic)

    def trouble(self, now: float) -> str:
        """Why nothing may be done for good at `now` (seconds UTC, of the machine's clock), or nothing."""
        count = self._monotonic()
        ahead = now - count
        if self._ahead is None or ahead - self._ahead <= LEAP_SECONDS:
            self._ahead, self._leapt = ahead, None
            return ""
        if self._leapt is None or abs(ahead - self._leapt) > STEADY_WITHIN:
            self._leapt, self._since = ahead, count
        if count - self._since >= STEADY_SECONDS:
            self._ahead, self._leapt = ahead, None
            return ""
        hours = (ahead - self._ahead) / 3600
        return (
            f"This machine's clock leapt ahead by {hours:,.0f} hours: no lesson is closed and nothing deleted"
            " until it is put right, or steady for ten minutes. See to its time synchronisation."
        )


def make_clock(folder: AgentFolder, settings: AgentSettings) -> Clock:
    """The machine's clock, or the simulated one that `[clock]` names."""
    return SystemClock() if settings.clock is None else FileClock(folder.resolve(settings.clock.file))
