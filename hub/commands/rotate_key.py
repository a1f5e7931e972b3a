"""`hub rotate-key`: a new key for the hub, which the schools learn before it is used."""

from typing import Annotated

import typer

from hub import folder
from hub.commands.common import Dir, opened_store
from hub.paths import Layout
from hub.store import announced
from shared.errors import UsageError
from shared.link import keys


def rotate_key(
    directory: Dir,
    switch: Annotated[bool, typer.Option("--switch", help="Use the new key from now on.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Switch although some schools do not know the new key.")
    ] = False,
) -> None:
    """Make a new key, which is announced to the schools; later, with --switch, go over to it."""
    layout = Layout(directory)
    with opened_store(layout) as connection:
        following = keys.next_pair(layout.keys, folder.LINK_KEY)
        if following is None and switch:
            raise UsageError("there is no new key yet: call this without --switch first")
        made = following or keys.make_next(layout.keys, folder.LINK_KEY)
        missing = announced.ignorant(connection, made.public)
    if switch:
        _switch(layout, missing, force)
        return
    typer.echo(f"The new key has the fingerprint {keys.fingerprint(made.public)}.")
    if missing:
        typer.echo(f"{len(missing)} schools do not know it yet; each learns it when it next connects:")
        for name in missing:
            typer.echo(f"  {name}")
    typer.echo(f"Once they know it: `commonground hub rotate-key {directory} --switch`.")


def _switch(layout: Layout, missing: list[str], force: bool) -> None:
    if missing and not force:
        raise UsageError(
            f"{len(missing)} schools do not know the new key yet ({', '.join(missing[:5])}): wait until they"
            " have connected, or use --force, then `revoke` and `invite` them again"
        )
    pair = keys.promote(layout.keys, folder.LINK_KEY)
    typer.echo(
        f"The hub's key is now {keys.fingerprint(pair.public)}; a running hub goes over within a second."
    )
    if missing:
        typer.echo("To be revoked and invited again: " + ", ".join(missing))
