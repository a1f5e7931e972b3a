"""`hub invite`: an invitation for one school."""

import time
from typing import Annotated

import typer

from hub import folder, settings
from hub.commands.common import Dir, opened_store
from hub.paths import Layout
from hub.store import enrolments


def invite(
    directory: Dir,
    school: Annotated[str, typer.Option(help="The school's name, as in its agent's settings.")],
    simulated: Annotated[bool, typer.Option("--simulated", help="Its data are simulated.")] = False,
) -> None:
    """Print a token with which the school's agent joins, once."""
    layout = Layout(directory)
    own = settings.load(layout)
    address = settings.advertised(own)
    name = settings.checked_name(school, "school")
    public = folder.link_keys(layout).public
    with opened_store(layout) as connection:
        token = enrolments.invite(connection, name, simulated or own.simulated, address, public, time.time())
    typer.echo(token)
