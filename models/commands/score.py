"""`models score`: from feature rows to placements."""

from pathlib import Path
from typing import Annotated

import typer

from models.commands.common import Model, Out


def score(
    rows: Annotated[Path, typer.Argument(metavar="FEATURES", help="CSV written by `features`.")],
    model: Model,
    out: Out,
) -> None:
    """Place feature rows on a model's stages: an uncalibrated inference until walkthroughs are fitted."""
    from models import tables
    from models.scoring.scorer import Scorer

    table = tables.read_features(rows)
    scorer = Scorer.for_model(model)
    scored = scorer.score(table.x)
    tables.write_placements(out, tables.PlacementTable.of(table.ids, table.x, scored))
    note = "inferred, not calibrated by walkthroughs"
    typer.echo(f"{len(table.ids)} windows on {len(scorer.dimensions)} dimensions: {note}", err=True)
