"""The simulated clock that agents read: a small file, replaced whole, that never goes back."""

import json
import time
from pathlib import Path


def read_clock(path: Path) -> float | None:
    """Simulated seconds since 1970 at this moment, or None if there is no clock yet."""
    try:
        table = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return float(table["simulated"] + table["rate"] * (time.time() - table["real"]))


def set_clock(path: Path, simulated: float, rate: float = 0.0) -> float:
    """Put the clock to `simulated`, or leave it where it is if that is later; returns what it shows."""
    shown = read_clock(path)
    simulated = simulated if shown is None else max(simulated, shown)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"simulated": simulated, "real": time.time(), "rate": rate}))
    draft.replace(path)
    return simulated
