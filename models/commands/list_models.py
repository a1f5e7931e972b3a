"""`models list`: the integration models."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.commands.common import Json, print_json

if TYPE_CHECKING:
    from models.integration.model import Dimension, IntegrationModel

Own = Annotated[
    Path | None,
    typer.Option("--own", metavar="FOLDER", help="Also the models of your own in this folder."),
]


def list_models(own: Own = None, json: Json = False) -> None:
    """List the integration models: what each speaks of, on which scales."""
    from models.commands import layout
    from models.integration.load import load_model, model_names

    models = [load_model(name, own) for name in model_names(own)]
    if json:
        print_json([_summary(model) for model in models])
        return
    rows = [(model.id, model.grain, _scales(model)) for model in models]
    typer.echo(layout.table(("Model", "Speaks of a", "What it is, and its scales"), rows, indent=0))
    typer.echo("\n" + layout.paragraph("One model whole, with its limits: commonground models show MODEL"))


def _scales(model: "IntegrationModel") -> str:
    return f"{model.name}: {'; '.join(_scale(one) for one in model.dimensions)}"


def _scale(dimension: "Dimension") -> str:
    shown = ", shown as a band" if dimension.shown_as == "band" else ""
    return f"{dimension.id} ({len(dimension.stages)} stages{shown})"


def _summary(model: "IntegrationModel") -> dict[str, Any]:
    return {
        "id": model.id,
        "name": model.name,
        "version": model.version,
        "owner": model.owner,
        "link": model.link,
        "grain": model.grain,
        "text": model.text,
        "dimensions": [
            {
                "id": dimension.id,
                "name": dimension.name,
                "shown_as": dimension.shown_as,
                "stages": [stage.id for stage in dimension.stages],
            }
            for dimension in model.dimensions
        ],
    }
