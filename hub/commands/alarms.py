"""`hub alarms`: what somebody should look at."""

import time
from typing import Annotated

import typer

from hub.commands.common import Dir, Json, open_views, opened_store, print_json
from hub.paths import Layout
from hub.store import alarms as store


def alarms(
    directory: Dir,
    as_json: Json = False,
    clear: Annotated[
        str | None, typer.Option(metavar="NUMBER|all", help="Clear an alarm that is settled, or all of them.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="List those that were cleared, too.")] = False,
) -> None:
    """List what somebody should look at: keys and records that do not belong."""
    layout = Layout(directory)
    if clear is not None:
        with opened_store(layout) as connection:
            cleared = store.clear(connection, clear, time.time())
        said = f"Cleared: {cleared}. One that happens again stands again." if cleared else "Nothing to clear."
        typer.echo(said, err=as_json)
    views = open_views(layout)
    found = views.alarms(cleared=every)
    views.close()
    if as_json:
        print_json(found)
        return
    for one in found:
        times = f"{one.count} times, first {one.first}, last {one.last}" if one.count > 1 else one.first
        key = f"; key {one.fingerprint}" if one.fingerprint else ""
        then = f"cleared {one.cleared}" if one.cleared else one.advice
        typer.echo(f"{one.id}  {one.happened}\n   {times}{key}\n   {then}\n")
    if not found:
        typer.echo("Nothing needs a look.")
