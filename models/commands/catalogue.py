"""`models catalogue`: the apps by index."""

import typer

from models.commands.common import Json, print_json


def catalogue(json: Json = False) -> None:
    """List the apps of the catalogue; an app's index is its position, from 1."""
    from models.catalogue.load import catalogue_as_json, load_catalogue

    known = load_catalogue()
    if json:
        print_json(catalogue_as_json(known))
        return
    for index, entry in enumerate(known.apps, start=1):
        affords = "off-task" if entry.off_task else ", ".join(f"{c} {w:g}" for c, w in entry.channels.items())
        typer.echo(f"{index:>4} {entry.id:<32} {affords}")
