"""`models check`: what is wrong with the catalogue, the reference, the models and their crosswalk."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.commands.common import Json, print_json
from shared.errors import CommonGroundError, UsageError

if TYPE_CHECKING:
    from models.integration.toml_file import Finding


def check(
    own: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE_OR_FOLDER]...", help="Models of your own, to check as well."),
    ] = None,
    json: Json = False,
) -> None:
    """Check catalogue, integration models and crosswalk; prints every mistake, exits 1 if there is any."""
    from models.catalogue.check import check_catalogue
    from models.integration.crosswalk import check_crosswalk
    from models.integration.load import model_names
    from models.scoring.reference import shipped_reference

    findings = check_catalogue()
    findings += [str(finding) for finding in (*_models(own or []), *check_crosswalk())]
    try:
        shipped_reference()
    except CommonGroundError as error:
        findings.append(str(error))
    if json:
        print_json({"findings": findings, "models": list(model_names())})
    elif findings:
        typer.echo("\n".join(findings))
    else:
        names = ", ".join((*model_names(), *(str(path) for path in own or ())))
        typer.echo(f"nothing found wrong with the catalogue, the reference and the models ({names})")
    if findings:
        raise typer.Exit(1)


def _models(own: list[Path]) -> "Iterator[Finding]":
    from models.integration.load import PUBLISHED, check_model, model_files

    for folder in (PUBLISHED, *own):
        if folder.is_dir():
            for path in model_files(folder):
                yield from check_model(path, named_for_id=True)
        elif folder.is_file():
            yield from check_model(folder)
        else:
            raise UsageError(f"there is no file or folder {folder}: give the path of a model's TOML file")
