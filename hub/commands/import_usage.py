"""`hub import-usage`: usage exports as weekly units."""

from pathlib import Path
from typing import Annotated

import typer

from hub.commands.common import Dir, Json, connected, print_json, with_progress
from hub.paths import Layout
from hub.tables import render


def import_usage(
    directory: Dir,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="A LearnPlatform folder, or its CSV files.")
    ],
    as_json: Json = False,
) -> None:
    """Import usage exports as weekly units; every row that is left out is counted by its reason."""
    from hub.usage.load import import_usage as load  # numpy and the scorer, for this command alone

    with connected(Layout(directory)) as connection:
        reports = load(connection, paths, with_progress)
    if as_json:
        print_json(reports)
        return
    header = ("file", "district", "weeks", "days", "rows", "used", "no use", "left out")
    rows = [
        (
            *(one.file, one.district or None, one.weeks, one.days, one.rows, one.used, one.not_used),
            ", ".join(f"{reason} {count}" for reason, count in sorted(one.refused.items())) or None,
        )
        for one in reports
    ]
    typer.echo(render(header, rows))
