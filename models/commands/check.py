"""`models check`: what is wrong with the catalogue, the reference and the models."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from models.commands.common import Json, print_json
from shared.errors import CommonGroundError


def check(
    own: Annotated[
        list[str] | None, typer.Argument(help="TOML files of your own models, to check as well.")
    ] = None,
    json: Json = False,
) -> None:
    """Check the catalogue and the integration models; exits 1 if anything is found."""
    from models.catalogue.check import check_catalogue
    from models.integration.load import load_model, model_names
    from models.scoring.reference import shipped_reference

    findings = check_catalogue()
    looks: list[Callable[[], object]] = [partial(load_model, name) for name in (*model_names(), *(own or ()))]
    looks.append(shipped_reference)
    for look in looks:
        try:
            look()
        except CommonGroundError as error:
            findings.append(str(error))
    if json:
        print_json({"findings": findings, "models": list(model_names())})
    elif findings:
        typer.echo("\n".join(findings))
    else:
        names = ", ".join(model_names())
        typer.echo(f"nothing found wrong with the catalogue, the reference and the models ({names})")
    if findings:
        raise typer.Exit(1)
