"""What the commands of the scoring core share: JSON for programs, a bar on long work, common options."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

if TYPE_CHECKING:
    from models.csv_columns import Progress

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


@contextmanager
def bar_over(label: str, path: Path) -> "Iterator[Progress | None]":
    """A bar over the bytes of a file when a terminal is attached, else nothing."""
    if not (sys.stderr.isatty() and path.is_file()):
        yield None
        return
    with typer.progressbar(length=path.stat().st_size, label=label, file=sys.stderr) as bar:
        yield bar.update
