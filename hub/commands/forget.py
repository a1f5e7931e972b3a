"""`hub forget`: what came from a school since some time is removed."""

import sqlite3
import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from hub.commands.common import Dir, opened_store
from hub.paths import Layout
from hub.store import enrolments, forgetting, verification
from shared.errors import UsageError


def forget(
    directory: Dir,
    school: Annotated[str, typer.Argument(metavar="SCHOOL", help="Its name or slug.")],
    since: Annotated[
        str, typer.Option(metavar="TIME", help="By this hub's clock: 2026-03-09 or 2026-03-09T14:00, in UTC.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Remove it, rather than say how much it is.")] = False,
) -> None:
    """Remove what came from a revoked school since TIME: for a key that was in the wrong hands."""
    began, now = _seconds(since), time.time()
    with opened_store(Layout(directory)) as connection:
        connection.row_factory = sqlite3.Row
        found = enrolments.called(connection, school)
        gone = forgetting.forget(connection, found, began, now)
        what = f"{gone.lessons} lessons and {gone.weeks} weeks of {found.name} since {since}"
        if gone.earlier:
            what += f", with {gone.earlier} earlier tellings of the same"
        if not yes:
            raise UsageError(f"this would remove {what}; nothing was removed: add --yes to do so")
        result = verification.compare(connection, found.id, found.name)
        verification.keep(connection, found.id, result, now)
    typer.echo(f"Removed: {what}. `invite` the school again: its agent sends anew what it still keeps.")


def _seconds(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"`{text[:40]}` is no time: write 2026-03-09 or 2026-03-09T14:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
