"""`hub invite`: an invitation for one school."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hub import folder, settings
from hub.commands.common import Dir, opened_store
from hub.paths import Layout
from hub.store import enrolments
from shared import qr as qr_code
from shared.link import invitations, keys


def invite(
    directory: Dir,
    school: Annotated[str, typer.Option(help="The school's name, as in its agent's settings.")],
    simulated: Annotated[bool, typer.Option("--simulated", help="Its data are simulated.")] = False,
    qr: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Write it as a QR code as well, for you alone.")
    ] = None,
) -> None:
    """Print a token with which the school's agent joins, once; a terminal shows its QR code too."""
    layout = Layout(directory)
    own = settings.load(layout)
    address = settings.advertised(own)
    name = settings.checked_name(school, "school")
    public = folder.link_keys(layout).public
    if qr is not None:
        qr_code.check_free(qr)
    with opened_store(layout) as connection:
        token = enrolments.invite(connection, name, simulated or own.simulated, address, public, time.time())
    typer.echo(token)
    expires = datetime.fromtimestamp(invitations.decode(token).expires, UTC)
    typer.echo(
        f"For {name}, once, until {expires:%Y-%m-%d %H:%M} UTC. Who holds it can join as {name}.", err=True
    )
    typer.echo(
        f"This hub's fingerprint: {keys.fingerprint(public)} (`agent join` must show the same)", err=True
    )
    qr_code.show(token)
    if qr is not None:
        qr_code.write_svg(token, qr)
        typer.echo(f"{qr} holds the QR code: remove it when the school has joined.", err=True)
