"""`agent unshare`: sharing ends."""

from typing import Annotated

import typer

from edge_agent.commands.common import Folder, now, opened_store, say
from edge_agent.paths import AgentFolder


def unshare(
    folder: Folder, code: Annotated[str, typer.Argument(metavar="CLASS", help="The class code.")]
) -> None:
    """Stop sharing a class; its records that wait are withdrawn."""
    from edge_agent.store import classes as store

    paths = AgentFolder(folder)
    with opened_store(paths) as connection:
        withdrawn = store.unshare(connection, code, now(paths))
    say(f"Class {code} is no longer shared; {withdrawn} records that waited were withdrawn.")
