"""The long modes: `python -m tests.long machine [OPERATIONS] | fuzz [CASES]`, a million by default.

Writes what was done, where and how fast to `benchmarks/results/<date>-<mode>.md`; what is found is an error.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import machine
from tests.shared.link import fuzzing, test_fuzz, test_machine

MANY: Final = 1_000_000
RESULTS: Final = Path(__file__).parents[1] / "benchmarks" / "results"

Sections = Mapping[str, Mapping[str, int]]


def run_machine(many: int) -> Sections:
    """The rule machine: what was done, and what that led to."""
    test_machine.run(many)
    assert test_machine.DONE.total() >= many, "the runs were shorter than usual: ask for more"
    return {"operations": test_machine.DONE, "what they led to": test_machine.REACHED}


def run_fuzz(many: int) -> Sections:
    """The decoders, each with its share of the cases."""
    share = -(-many // len(test_fuzz.TARGETS))
    with fuzzing.little_memory():
        return {target.name: fuzzing.run(target, share, seed=2) for target in test_fuzz.TARGETS}


MODES: Final[dict[str, tuple[Callable[[int], Sections], str, str]]] = {
    "machine": (run_machine, "The link's rule machine", "No bucket held anything but what its fate allows."),
    "fuzz": (run_fuzz, "Decoders under nearly right input", "Each case was taken, or refused in words."),
}


def main(mode: str, many: str = str(MANY)) -> None:
    """Run, and write."""
    work, title, verdict = MODES[mode]
    began = time.monotonic()
    sections = work(int(many))
    took = time.monotonic() - began
    lines = [f"# {title}", "", f"Machine: {machine.line(machine.describe())}", ""]
    lines += [f"Command: `python -m tests.long {' '.join(sys.argv[1:])}`, {took:.0f} s. {verdict}"]
    for name, counts in sections.items():
        if mode == "fuzz" or name == "operations":
            name = f"{name}: {sum(counts.values())}"
        lines += ["", f"## {name[0].upper()}{name[1:]}", "", "| | |", "|---|---|"]
        lines += [f"| {what} | {times} |" for what, times in Counter(counts).most_common()]
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{mode}.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
