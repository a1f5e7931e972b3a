"""`agent invite`: an invitation for a collector on another machine."""

import time
from pathlib import Path
from typing import Annotated

import typer

from edge_agent.commands.common import Folder, opened_store, say
from edge_agent.paths import AgentFolder
from edge_agent.settings import intake_address, load_settings
from shared import carried
from shared.errors import UsageError


def invite(
    folder: Folder,
    collector: Annotated[str, typer.Option(help="A name for the source, as the status page will show it.")],
    kind: Annotated[str, typer.Option(help="What it reads: a kind of log, such as pihole.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the token into a new file, for you alone.")
    ] = None,
) -> None:
    """Print a token with which a collector on another machine joins this agent, once, within a day."""
    from edge_agent.remote.door import intake_keys
    from edge_agent.sources.kinds import file_kinds
    from edge_agent.store import collectors
    from shared.link import invitations
    from shared.link.keys import fingerprint

    paths = AgentFolder(folder)
    settings = load_settings(paths)
    known = file_kinds()
    if kind not in known:
        raise UsageError(f"a collector cannot read `{kind}` files; known: {', '.join(known)}")
    if collector in {source.id for source in settings.sources}:
        raise UsageError(f"`{collector}` is a source of agent.toml already: choose another name")
    address, pair = intake_address(settings), intake_keys(paths)
    carried.check_free(out)
    with opened_store(paths) as connection:
        now = time.time()
        void = invitations.waiting(connection, collector, now)
        token = collectors.invite(
            connection, collector, kind, address, pair.public, now, len(settings.sources)
        )
        if out is not None:
            carried.write(out, f"{token}\n".encode())
    if out is None:
        say(token)
    else:
        typer.echo(f"{out} holds the token: remove it when the collector has joined.", err=True)
    if void:
        typer.echo(f"The earlier one for {collector} is void.", err=True)
    typer.echo(
        f"For one collector, within a day. On its machine:\n"
        f"  commonground collect {kind} LOG --agent {address} --token TOKEN_FILE\n"
        f"This agent's fingerprint for collectors: {fingerprint(pair.public)}",
        err=True,
    )
