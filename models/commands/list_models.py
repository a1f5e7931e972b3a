"""`models list`: the integration models."""

from typing import TYPE_CHECKING, Any

import typer

from models.commands.common import Json, print_json

if TYPE_CHECKING:
    from models.integration.load import IntegrationModel


def list_models(json: Json = False) -> None:
    """List the integration models."""
    from models.integration.load import load_model, model_names

    models = [load_model(name) for name in model_names()]
    if json:
        print_json([_summary(model) for model in models])
        return
    for model in models:
        dimensions = ", ".join(dimension.id for dimension in model.dimensions)
        typer.echo(f"{model.id:<12} {model.name} ({model.grain}): {dimensions}")


def _summary(model: "IntegrationModel") -> dict[str, Any]:
    return {
        "id": model.id,
        "name": model.name,
        "version": model.version,
        "grain": model.grain,
        "dimensions": [
            {"id": dimension.id, "stages": [stage.id for stage in dimension.stages]}
            for dimension in model.dimensions
        ],
    }
