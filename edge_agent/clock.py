"""What time it is: the machine's clock, or in a simulation a file that says so."""

import json
import time
from pathlib import Path
from typing import Protocol

from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings
from shared.errors import SettingsError


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


def make_clock(folder: AgentFolder, settings: AgentSettings) -> Clock:
    """The machine's clock, or the simulated one that `[clock]` names."""
    return SystemClock() if settings.clock is None else FileClock(folder.resolve(settings.clock.file))
