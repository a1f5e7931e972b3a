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
from shared import carried
from shared import qr as qr_code
from shared.link import invitations, keys


def invite(
    directory: Dir,
    school: Annotated[str, typer.Option(help="The school's name, as in its agent's settings.")],
    simulated: Annotated[bool, typer.Option("--simulated", help="Its data are simulated.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the token into a new file, for you alone.")
    ] = None,
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
    carried.check_free(out, qr)
    with opened_store(layout) as connection:
        now = time.time()
        void = invitations.waiting(connection, name, now)
        token = enrolments.invite(connection, name, simulated or own.simulated, address, public, now)
        if out is not None:
            carried.write(out, f"{token}\n".encode())
    expires = f"{datetime.fromtimestamp(invitations.decode(token).expires, UTC):%Y-%m-%d %H:%M} UTC"
    if out is None:
        typer.echo(token)
    else:
        typer.echo(f"{out} holds the token: remove it when the school has joined.", err=True)
    typer.echo(f"For {name}, once, until {expires}. Who holds it can join as {name}.", err=True)
    if void:
        typer.echo(f"The earlier one for {name} is void.", err=True)
    typer.echo(
        f"This hub's fingerprint: {keys.fingerprint(public)} (`agent join` must show the same)", err=True
    )
    if out is None:
        qr_code.show(token)
    if qr is not None:
        lines = (f"Once, until {expires}. Who holds this can join: hand it over, then destroy it.",)
        carried.write(qr, qr_code.svg(token, f"Common Ground: invitation for {name}", lines))
        typer.echo(f"{qr} holds the QR code: remove it when the school has joined.", err=True)
