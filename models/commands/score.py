"""`models score`: from feature rows to placements."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.commands.common import Model, Out

if TYPE_CHECKING:
    from models.graph.scorer import GraphScorer
    from models.scoring.scorer import Scorer


def score(
    rows: Annotated[Path, typer.Argument(metavar="FEATURES", help="CSV written by `features`.")],
    model: Model,
    out: Out,
    fitted: Annotated[
        Path | None, typer.Option("--fitted", help="FIT.json written by `fit`, or a graph by `export`.")
    ] = None,
) -> None:
    """Place feature rows on a model's stages, by its rubric or as walkthroughs fitted it."""
    from models import tables

    table = tables.read_features(rows)
    scorer = _scorer(model, fitted)
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


def _scorer(model: str, fitted: Path | None) -> "Scorer | GraphScorer":
    from models.graph.read import is_graph, read_graph
    from models.graph.scorer import GraphScorer
    from models.integration.load import load_model
    from models.scoring.fit_file import read_fit
    from models.scoring.scorer import Scorer

    if fitted is None:
        return Scorer.for_model(model)
    found = load_model(model)
    if is_graph(fitted):
        return GraphScorer(read_graph(fitted, found), found)
    return Scorer.fitted(found, read_fit(fitted), str(fitted))
