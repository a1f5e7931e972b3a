"""`models features`: from signals to one row of features a window."""

from pathlib import Path
from typing import Annotated

import typer

from models.commands.common import Out, bar_over


def features(
    signals: Annotated[Path, typer.Argument(help="CSV: window,t,device,app,action,amount.")],
    windows: Annotated[
        Path, typer.Option("--windows", help="CSV: window,school[,class],start,end,expected,sources.")
    ],
    out: Out,
) -> None:
    """Compute the features of every window from its signals, one row a window, in their order."""
    from models import tables
    from models.catalogue.load import load_catalogue
    from models.features.compute import compute_features

    known = load_catalogue()
    table = tables.read_windows(windows)
    with bar_over("reading", signals) as progress:
        found = tables.read_signals(signals, table, known.by_id, progress)
    x = compute_features(found, table.columns, known.channel_weights(), known.off_task())
    tables.write_features(out, table, x)
    row = found.window
    outside = int(((found.t < table.columns.start[row]) | (found.t >= table.columns.end[row])).sum())
    note = f"; {outside} signals outside their window were left out" if outside else ""
    typer.echo(f"{len(table)} windows from {len(found)} signals{note}", err=True)
