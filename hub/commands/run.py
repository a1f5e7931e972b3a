"""`hub run`: the running hub."""

from typing import Annotated

import typer

from hub.commands.common import Dir
from hub.paths import Layout


def run(
    directory: Dir,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Port of the pages, instead of the settings'.")
    ] = None,
) -> None:
    """Receive from the schools and serve the pages, until stopped."""
    from hub import server  # the other commands start without the web server
    from shared import logs

    logs.to_stderr()
    server.run(Layout(directory), port)
