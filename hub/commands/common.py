"""What the commands of `commonground hub` share."""

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hub import folder
from hub.paths import Layout
from hub.views import Views
from shared.storage import transaction

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The hub's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Port = Annotated[int, typer.Option(min=1, max=65_535, help="Port of the pages on this machine.")]


def open_views(layout: Layout) -> Views:
    with connected(layout):
        return Views(layout.folder)


@contextmanager
def connected(layout: Layout) -> Iterator[sqlite3.Connection]:
    connection = folder.connect(layout)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def opened_store(layout: Layout) -> Iterator[sqlite3.Connection]:
    with connected(layout) as connection, transaction(connection):
        yield connection


def with_progress(paths: Sequence[Path]) -> Iterator[Path]:
    if not sys.stderr.isatty():
        yield from paths
        return
    with typer.progressbar(paths, label="Importing", file=sys.stderr) as bar:
        yield from bar


def print_json(value: object) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
