"""`python -m benchmarks [--only NAME] [--quick] [--json FILE]`: every budget beside its peer, one table."""

import argparse
import importlib
import json
import sys
import time
import traceback
from pathlib import Path
from typing import Final

from benchmarks import machine
from benchmarks.harness import Row, Size
from benchmarks.table import render

# In the order of the budgets in the design; each module has `measure(size) -> Row`.
ROWS: Final = (
    *("signals", "log", "window", "link", "agent", "hub", "pages", "lesson", "table", "rows", "fit"),
    *("brokers", "latency", "peers"),  # beside budget 4, without one of their own
    "statements",
    *("sources", "names"),  # beside budget 2
)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=ROWS, action="append", help="this row alone; may be given again")
    parser.add_argument("--quick", action="store_true", help="under a minute, on smaller loads")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results for programs too")
    asked = parser.parse_args()
    size: Size = "quick" if asked.quick else "full"
    facts = machine.describe()
    others = machine.Others()
    measured = [_measure(name, size) for name in ROWS if not asked.only or name in asked.only]
    rows = [row for row in measured if row is not None]
    share = others.share()
    command = " ".join(["python -m benchmarks", *_options(asked)])
    numbered = [(1 + ROWS.index(row.name), row) for row in rows]
    print(render(numbered, machine.line(facts), command, _disturbed(share)))
    if asked.json is not None:
        found = {
            "machine": facts,
            "others_share": None if share is None else round(share, 3),
            "command": command,
            "rows": [
                {
                    "name": row.name,
                    "budget": row.budget,
                    "measured": row.measured,
                    "peer": row.peer,
                    "ratio": row.ratio,
                    "met": row.met,
                    "notes": row.notes,
                    "numbers": row.numbers,
                }
                for row in rows
            ],
        }
        asked.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(len(rows) < len(measured))


def _measure(name: str, size: Size) -> Row | None:
    """One row; None, and its error on standard error, when it could not be measured."""
    began = time.monotonic()
    print(f"measuring: {name} ...", end="", flush=True, file=sys.stderr)
    try:
        row: Row = importlib.import_module(f"benchmarks.rows.{name}").measure(size)
    except Exception:  # noqa: BLE001 - the other rows are worth having
        print(" failed", file=sys.stderr)
        traceback.print_exc()
        return None
    print(f" {time.monotonic() - began:.0f} s", file=sys.stderr)
    return row


def _options(asked: argparse.Namespace) -> list[str]:
    words = [word for name in asked.only or () for word in ("--only", name)]
    return words + (["--quick"] if asked.quick else [])


def _disturbed(share: float | None) -> str:
    if share is None:
        return "What else ran on the machine is not known."
    said = f"Other programs took {share:.0%} of the processors during the run"
    return f"{said}: take the figures with care." if share > 0.1 else f"{said}."


if __name__ == "__main__":
    main()
