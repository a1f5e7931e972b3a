"""`agent share`: a class shared on its teacher's behalf."""

from datetime import date
from typing import Annotated

import typer

from edge_agent.commands.common import Folder, now, opened_store, say, school_day
from edge_agent.paths import AgentFolder
from shared.errors import UsageError


def share(
    folder: Folder,
    codes: Annotated[list[str], typer.Argument(metavar="CLASS...", help="Class codes.")],
    until: Annotated[str, typer.Option(help="The last day, as YYYY-MM-DD.")],
) -> None:
    """Share classes' lessons with the district, on their teachers' behalf; logged."""
    from edge_agent.store import classes as store

    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise UsageError(f"`{until}` is no date: write it as YYYY-MM-DD") from None
    paths = AgentFolder(folder)
    today = school_day(paths)
    if day < today:
        raise UsageError(f"{day.isoformat()} is over, today is {today.isoformat()}: choose a day to come")
    with opened_store(paths) as connection:
        for code in codes:
            store.share(connection, code, day, now(paths))
    say(f"Shared until {day.isoformat()}, on their teachers' behalf: {', '.join(codes)}")
