"""`models evaluate`: how placements meet ratings, and how far the figures can be believed."""

from pathlib import Path
from typing import Annotated

import typer

from models.commands.common import Features, Json, Model, Ratings, Seed, fit_at
from models.commands.evaluation_page import described


def evaluate(
    features: Features,
    ratings: Ratings,
    model: Model,
    fitted: Annotated[
        Path | None, typer.Option("--fitted", help="FIT.json from `fit`; without it, the rubric alone.")
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Compare placements with coaches' ratings: agreement, calibration, coverage, and what chance gives."""
    from models import tables
    from models.evaluation import evaluate as steps
    from models.evaluation.report import to_json
    from models.fitting.ratings import read_ratings
    from models.integration.load import load_model
    from models.scoring.scorer import Scorer

    found = load_model(model)
    scorer = Scorer.fitted(found, fit_at(fitted), str(fitted)) if fitted else Scorer.for_model(model)
    table = tables.read_features(features)
    report = steps.evaluate(scorer, table, read_ratings(ratings, found, table), seed=seed)
    typer.echo(to_json(report).decode() if json else "\n".join(described(report)))
