"""`hub revoke`: a school's key refused from now on."""

import time
from typing import Annotated

import typer

from hub.commands.common import Dir, opened_store
from hub.paths import Layout
from hub.store import enrolments


def revoke(
    directory: Dir, school: Annotated[str, typer.Argument(metavar="SCHOOL", help="Its name or slug.")]
) -> None:
    """Refuse a school's key from now on; what it sent stays."""
    with opened_store(Layout(directory)) as connection:
        name = enrolments.revoke(connection, school, time.time())
    typer.echo(f"{name} is revoked: its agent is refused from now on; what it sent stays.")
