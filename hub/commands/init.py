"""`hub init`: a new folder."""

from typing import Annotated

import typer

from hub import folder
from hub.commands.common import Dir, Port
from hub.paths import Layout
from hub.settings import DEFAULT_LINK, DEFAULT_PORT


def init(
    directory: Dir,
    district: Annotated[str, typer.Option(help="Name of the district, as the pages show it.")],
    port: Port = DEFAULT_PORT,
    link: Annotated[str, typer.Option(help="Where to listen for the schools' agents.")] = DEFAULT_LINK,
    public: Annotated[
        str | None, typer.Option(help="What invitations name, if schools reach this hub by another address.")
    ] = None,
    simulated: Annotated[bool, typer.Option("--simulated", help="Every school here is simulated.")] = False,
) -> None:
    """Set up a hub in a new folder."""
    layout = Layout(directory)
    folder.create(layout, district, port, link, simulated, public)
    typer.echo(f"{layout.settings} is written. Next: `commonground hub run {directory}`.")
