"""`models features`: from signals to one row of features a window."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from models.commands.common import Out, bar_over, refuse_same


def features(
    signals: Annotated[Path, typer.Argument(help="CSV: window,t,device,app,action,amount.")],
    windows: Annotated[
        Path, typer.Option("--windows", help="CSV: window,school[,class],start,end,expected,sources.")
    ],
    out: Out,
) -> None:
    """Compute the features of every window from its signals, one row a window, in their order.

    The signals may stand in any order, and be more than fit in memory: they are sorted in a temporary file
    beside the result.
    """
    refuse_same(out, signals, windows)
    import numpy as np

    from models import tables
    from models.catalogue.load import load_catalogue
    from models.features import compiled
    from models.features.compute import Engine, compute_features
    from models.features.set1 import FEATURES

    known = load_catalogue()
    channels, off_task = known.channel_weights(), known.off_task()
    table = tables.read_windows(windows)
    x = np.empty((len(table), len(FEATURES)))
    outside = 0
    with tables.sorted_signals(len(table), out) as found:
        with bar_over("reading", signals) as read:
            for rows in tables.signal_rows(signals, table.ids, known.by_id, read):
                found.add(rows)
        # Whether loading the compiled engine pays is a matter of all batches together.
        engine: Engine = "compiled" if compiled.worth_while(len(found)) else "numpy"
        with _bar("computing", len(table)) as done:
            for batch in found.batches():
                own, t, row = table.part(batch.rows), batch.signals.t, batch.signals.window
                x[batch.rows] = compute_features(batch.signals, own, channels, off_task, engine=engine)
                outside += int(((t < own.start[row]) | (t >= own.end[row])).sum())
                done(len(own))
    tables.write_features(out, table, x)
    note = f"; {outside} signals outside their window were left out" if outside else ""
    typer.echo(f"{len(table)} windows from {len(found)} signals{note}", err=True)


@contextmanager
def _bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A bar over `length` steps when a terminal is attached."""
    if not sys.stderr.isatty():
        yield lambda steps: None
        return
    with typer.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update
