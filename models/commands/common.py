"""What the commands of the scoring core share: JSON for programs, a bar on long work, common options."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from shared.errors import UsageError

if TYPE_CHECKING:
    from models.csv_columns import Progress
    from models.scoring.fit_file import Fit

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Out = Annotated[Path, typer.Option("--out", help="The file to write.")]
Model = Annotated[str, typer.Option("--model", help="A model's id, or the path of its TOML file.")]
Features = Annotated[Path, typer.Option("--features", help="CSV written by `features`.")]
Ratings = Annotated[
    Path, typer.Option("--ratings", help="CSV: window,dimension,coach,school,level[,briefed].")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same result.")]


def print_json(value: Any) -> None:
    """One JSON value on a line of standard output."""
    typer.echo(msgspec.json.encode(value).decode())


def refuse_same(out: Path, *inputs: Path | None) -> None:
    """Raises UsageError if the file to write is one of those to read, under whatever name or link."""
    if out.is_file() and any(path and path.exists() and out.samefile(path) for path in inputs):
        raise UsageError("`--out` is the file to be read: choose another name")


def fit_at(path: Path) -> "Fit":
    """The fit in a file. Raises UsageError if there is none, or a graph; BadInput if it is wrong."""
    from models.graph.read import is_graph
    from models.scoring.fit_file import read_fit

    if is_graph(path):
        raise UsageError(f"{path} is a graph: give the FIT.json that it was exported from")
    return read_fit(path)


@contextmanager
def bar_over(label: str, path: Path) -> "Iterator[Progress | None]":
    """A bar over the bytes of a file when a terminal is attached, else nothing."""
    if not (sys.stderr.isatty() and path.is_file()):
        yield None
        return
    with typer.progressbar(length=path.stat().st_size, label=label, file=sys.stderr) as bar:
        yield bar.update
