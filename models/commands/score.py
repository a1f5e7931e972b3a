"""`models score`: from feature rows to placements."""

from pathlib import Path
from typing import Annotated

import typer

from models.commands.common import Model, Out


def score(
    rows: Annotated[Path, typer.Argument(metavar="FEATURES", help="CSV written by `features`.")],
    model: Model,
    out: Out,
    fitted: Annotated[Path | None, typer.Option("--fitted", help="FIT.json written by `fit`.")] = None,
) -> None:
    """Place feature rows on a model's stages, by its rubric or as walkthroughs fitted it."""
    from models import tables
    from models.integration.load import load_model
    from models.scoring.fit_file import read_fit
    from models.scoring.scorer import Scorer

    table = tables.read_features(rows)
    if fitted is None:
        scorer = Scorer.for_model(model)
    else:
        scorer = Scorer.fitted(load_model(model), read_fit(fitted), str(fitted))
    scored = scorer.score(table.x)
    tables.write_placements(out, tables.PlacementTable.of(table.ids, table.x, scored))
    calibrated = (
        sum(dimension.calibrated for dimension in scorer.fit.dimensions.values()) if scorer.fit else 0
    )
    note = (
        f"{calibrated} calibrated by walkthroughs"
        if calibrated
        else "inferred, not calibrated by walkthroughs"
    )
    typer.echo(f"{len(table.ids)} windows on {len(scorer.dimensions)} dimensions: {note}", err=True)
