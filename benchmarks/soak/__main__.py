"""`python -m benchmarks.soak [--minutes N] [--out DIR]`: real agent and hub under full load for an hour.

Writes `<date>-soak.md`, `.svg` and `.json`; exit code 1 when something is not flat or a count does not match.
"""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import machine
from benchmarks.soak import judge, plot, report
from benchmarks.soak.run import soak

RESULTS: Final = Path(__file__).parents[1] / "results"
MOST_MINUTES: Final = 90.0  # by then the hub has nearly a day's worth of lessons from one school


def main() -> None:
    """Soak, write, and print the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long; under 40 nothing is judged")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="DIR", help="where the results go")
    asked = parser.parse_args()
    if not 1 <= asked.minutes <= MOST_MINUTES:
        parser.error(f"a soak takes from one minute to {MOST_MINUTES:g}")
    facts, others = machine.describe(), machine.Others()
    found = soak(asked.minutes)
    share = others.share()
    verdicts = judge.verdicts(found.samples)
    date = datetime.now(UTC).date().isoformat()
    about = [
        f"Machine: {machine.line(facts)}.",
        f"Command: `python -m benchmarks.soak --minutes {asked.minutes:g}`.",
        "What else ran is not known."
        if share is None
        else f"Other programs took {share:.0%} of the processors.",
    ]
    page = report.render(found, verdicts, about, f"{date}-soak.svg")
    asked.out.mkdir(parents=True, exist_ok=True)
    target = asked.out / f"{date}-soak"
    target.with_suffix(".md").write_text(page, encoding="utf-8")
    target.with_suffix(".svg").write_text(plot.draw(found.samples), encoding="utf-8")
    numbers = {
        "machine": facts,
        "others_share": share,
        "counted": asdict(found.counted),
        "verdicts": [asdict(verdict) for verdict in verdicts],
        "samples": [
            {name: None if value != value else round(value, 4) for name, value in asdict(sample).items()}
            for sample in found.samples
        ],
    }
    target.with_suffix(".json").write_text(json.dumps(numbers) + "\n", encoding="utf-8")
    print(page)
    sys.exit(not found.counted.exact or any(verdict.flat is False for verdict in verdicts))


if __name__ == "__main__":
    main()
