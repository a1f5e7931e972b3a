"""`hub service`: the hub as a service of this machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hub import settings
from hub.commands.common import Dir
from hub.paths import Layout


def service(
    directory: Dir,
    launchd: Annotated[
        bool, typer.Option("--launchd/--systemd", help="For macOS, or for Linux.")
    ] = sys.platform == "darwin",
    user: Annotated[str, typer.Option(help="As whom it runs: a user of its own.")] = "commonground",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there instead of printing it.")
    ] = None,
) -> None:
    """Print a systemd unit with hardening and ceilings, or a launchd property list."""
    from shared import service as made
    from shared.files import replace

    layout = Layout(directory.absolute())
    district = settings.load(layout).district
    own = made.Service(
        name="commonground-hub",
        about=f"Common Ground, hub of {district}",
        command=(*made.installed_command(), "hub", "run", str(layout.folder)),
        folder=layout.folder,
        user=user,
        memory_mib=2048,
        processors=2,
    )
    text = made.launchd(own) if launchd else made.systemd(own)
    if out is None:
        typer.echo(text, nl=False)
    else:
        replace(out, text.encode())
        typer.echo(f"Wrote {out}")
