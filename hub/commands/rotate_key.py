"""`hub rotate-key`: a new key for the hub, which the schools learn before it is used."""

from pathlib import Path
from typing import Annotated

import typer

from hub import folder
from hub.commands.common import Dir, Json, opened_store, print_json
from hub.paths import Layout
from hub.store import announced
from shared.errors import SettingsError, UsageError
from shared.link import keys


def rotate_key(
    directory: Dir,
    switch: Annotated[bool, typer.Option("--switch", help="Use the new key from now on.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Switch although some schools do not know the new key.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a new key, which is announced to the schools; later, with --switch, go over to it."""
    layout = Layout(directory)
    with opened_store(layout) as connection:
        following, trouble = folder.next_keys(layout)
        if trouble:
            raise SettingsError(trouble)
        if following is None and switch:
            raise UsageError("there is no new key yet: call this without --switch first")
        made = following or keys.make_next(layout.keys, folder.LINK_KEY)
        missing = announced.ignorant(connection, made.public)
    own = keys.fingerprint(made.public)
    if switch:
        _switch(layout, missing, force)
    if as_json:
        print_json({"fingerprint": own, "in_force": switch, "not_told": missing})
    elif switch:
        _say_switched(own, missing)
    else:
        _say_waiting(own, missing, directory)


def _say_waiting(own: str, missing: list[str], directory: Path) -> None:
    from hub.pages.words import waiting_key_sentence

    typer.echo(f"The new key has the fingerprint {own}.")
    typer.echo(waiting_key_sentence(own, missing).replace("DIR", str(directory)))
    for name in missing:
        typer.echo(f"  {name}")
    if missing:
        typer.echo(f"Once they know it: `commonground hub rotate-key {directory} --switch`.")


def _switch(layout: Layout, missing: list[str], force: bool) -> None:
    if missing and not force:
        raise UsageError(
            f"the new key is not known to {len(missing)} of the schools yet ({', '.join(missing[:5])}): wait"
            " until they have connected, or use --force, then `revoke` and `invite` them again"
        )
    keys.promote(layout.keys, folder.LINK_KEY)


def _say_switched(own: str, missing: list[str]) -> None:
    typer.echo(f"The hub's key is now {own}; a running hub goes over within a second.")
    if missing:
        typer.echo("To be revoked and invited again: " + ", ".join(missing))
