"""`models export`: the whole scorer as one ONNX graph."""

from pathlib import Path
from typing import Annotated

import typer

from models.commands.common import Model, Out, fit_at, refuse_same
from shared.files import replace


def export(
    model: Model,
    out: Out,
    fitted: Annotated[
        Path | None, typer.Option("--fitted", help="FIT.json written by `fit`; without it, the rubric.")
    ] = None,
) -> None:
    """Write a model's scorer, by its rubric or as walkthroughs fitted it, as one ONNX graph."""
    refuse_same(out, fitted)
    from models.graph.rubric import rubric_fit
    from models.graph.write import encode
    from models.integration.load import load_model
    from models.scoring.reference import shipped_reference

    found = load_model(model)
    fit = rubric_fit(found, shipped_reference()) if fitted is None else fit_at(fitted)
    file = encode(found, fit, str(fitted))
    replace(out, file)
    calibrated = sum(dimension.calibrated for dimension in fit.dimensions.values())
    standing = f"{calibrated} of {len(fit.dimensions)} dimensions calibrated by walkthroughs"
    simulated = ", simulated" if fit.simulated else ""
    typer.echo(
        f"{found.id} {found.version}, {standing}{simulated}: {len(file):,} bytes, hash {file[-64:].decode()}",
        err=True,
    )
