"""The one table of a run as Markdown, readable in a terminal too."""

from collections.abc import Sequence

from benchmarks.harness import Row

HEADER = ("budget", "measured here", "peer beside it", "ratio", "met")


def render(rows: Sequence[tuple[int, Row]], machine: str, command: str, others: str) -> str:
    """Table, machine, and beneath them what the peers do, by the budgets' numbers."""
    cells = [HEADER] + [
        (f"{number}. {row.budget}", row.measured, row.peer, row.ratio, row.met) for number, row in rows
    ]
    width = [max(len(row[i]) for row in cells) for i in range(len(HEADER))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, width, strict=True)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in width) + "|")
    lines += ["", f"Machine: {machine}.", f"Command: `{command}`.", others, ""]
    for number, row in rows:
        lines.append(f"{number}. {row.notes}")
    return "\n".join(lines) + "\n"
