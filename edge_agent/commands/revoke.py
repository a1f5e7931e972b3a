"""`agent revoke`: a collector's key is refused from now on."""

import time
from typing import Annotated

import typer

from edge_agent.commands.common import Folder, opened_store, say
from edge_agent.paths import AgentFolder


def revoke(
    folder: Folder,
    collector: Annotated[str, typer.Argument(metavar="COLLECTOR", help="Its name.")],
) -> None:
    """Refuse a collector on another machine from now on; what it sent stays."""
    from edge_agent.store import collectors

    with opened_store(AgentFolder(folder)) as connection:
        collectors.revoke(connection, collector, time.time())
    say(f"{collector} is revoked: it is refused from now on; what it sent stays.")
