"""`models score`: from feature rows to placements."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.commands.common import Model, Out, refuse_same

if TYPE_CHECKING:
    from models.graph.scorer import GraphScorer
    from models.integration.model import IntegrationModel
    from models.scoring.fit_file import Fit
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
    refuse_same(out, rows, fitted)
    from models import tables
    from models.integration.load import load_model

    found = load_model(model)
    table = tables.read_features(rows)
    scorer = _scorer(found, fitted)
    scored = scorer.score(table.x)
    tables.write_placements(out, tables.PlacementTable.of(table.ids, table.x, scored))
    typer.echo("\n".join(_said(found, scorer.fit, len(table.ids))), err=True)


def _said(model: "IntegrationModel", fit: "Fit | None", windows: int) -> Iterator[str]:
    calibrated = sum(dimension.calibrated for dimension in fit.dimensions.values()) if fit else 0
    standing = (
        f"{calibrated} calibrated by walkthroughs"
        if calibrated
        else "inferred, not calibrated by walkthroughs"
    )
    yield f"{_count(windows, 'window')} on {_count(len(model.dimensions), 'dimension')}: {standing}"
    if model.grain != "lesson":
        yield (
            f"{model.name} speaks of a {model.grain}, so it places no lesson: for classes or schools over a "
            f"{model.grain}, use `models aggregate`."
        )


def _count(n: int, unit: str) -> str:
    return f"{n} {unit}" if n == 1 else f"{n} {unit}s"


def _scorer(model: "IntegrationModel", fitted: Path | None) -> "Scorer | GraphScorer":
    from models.graph.read import is_graph, read_graph
    from models.graph.scorer import GraphScorer
    from models.scoring.fit_file import read_fit
    from models.scoring.reference import shipped_reference
    from models.scoring.scorer import Scorer

    if fitted is None:
        return Scorer(model, shipped_reference())
    if is_graph(fitted):
        return GraphScorer(read_graph(fitted, model), model)
    return Scorer.fitted(model, read_fit(fitted), str(fitted))
