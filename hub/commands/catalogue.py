"""`hub catalogue`: the district's own entries of the app catalogue, which every school's agent is told."""

import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hub.commands.common import Dir, Json, connected, opened_store, print_json
from hub.paths import Layout
from hub.store import catalogue as store
from shared.pages.formats import count

catalogue = typer.Typer(
    invoke_without_command=True,
    no_args_is_help=True,
    help="The district's own entries of the app catalogue, for every school.",
)


@catalogue.callback()
def _folder(context: typer.Context, directory: Dir) -> None:
    """The district's own entries of the app catalogue: set, show, clear. Alone it shows them.

    Agents ask every ten minutes; a school's own entries go before the district's.
    """
    context.obj = Layout(directory)
    if context.invoked_subcommand is None:
        show(context)


@catalogue.command("set")
def set_(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE.toml", help="[[app]] entries and background names.", exists=True)
    ],
) -> None:
    """Take the file as the district's entries from now on, instead of those before."""
    from models.catalogue.overlay import read_overlay

    overlay = read_overlay(file)
    with opened_store(context.obj) as connection:
        said = store.put(connection, overlay, time.time())
    apps, names = count(len(overlay.app), "entry"), count(len(overlay.background), "name")
    typer.echo(f"Number {said.number}, version {said.version}: {apps}, {names} of no use.")
    typer.echo("Agents ask every ten minutes; each school's catalogue page says what it uses.", err=True)


@catalogue.command()
def show(context: typer.Context, as_json: Json = False) -> None:
    """Print the entries as a file that `set` takes."""
    from models.catalogue.overlay import as_toml

    with connected(context.obj) as connection:
        said = store.current(connection)
    if as_json:
        print_json(None if said is None else msgspec.to_builtins(said))
    elif said is None:
        typer.echo("The district has no entries of its own.")
    else:
        typer.echo(as_toml(said.overlay, f"Number {said.number}, version {said.version}."), nl=False)


@catalogue.command()
def clear(context: typer.Context) -> None:
    """Take all of the district's entries back; schools go over to that as to any other version."""
    from models.catalogue.overlay import EMPTY

    with opened_store(context.obj) as connection:
        if store.current(connection) is None:
            typer.echo("The district has no entries of its own.")
            return
        said = store.put(connection, EMPTY, time.time())
    typer.echo(f"Number {said.number}: no entries.")
