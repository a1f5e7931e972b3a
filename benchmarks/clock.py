"""The simulated clock that agents read: a file that a row moves."""

import json
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock file."""

    path: Path

    def stand(self, moment: float) -> None:
        """Stand still at `moment` (seconds UTC)."""
        self._write(moment, 0.0)

    def go(self, moment: float, rate: float = 1.0) -> None:
        """Go on from `moment`, `rate` simulated seconds in each real one."""
        self._write(moment, rate)

    def _write(self, moment: float, rate: float) -> None:
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps({"simulated": moment, "real": time.time(), "rate": rate}))
        draft.replace(self.path)
