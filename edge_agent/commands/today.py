"""`agent today`: what changes on the day itself."""

import json
from datetime import date, datetime
from typing import Annotated

import typer

from edge_agent.commands.common import AsJson, Folder, require_own, say, school_time
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings
from shared.errors import UsageError


def today(
    folder: Folder,
    change: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CHANGE]",
            help="closed, testing, `two-hour delay`, `early dismissal 12:30`, `half day`, `schedule NAME`,"
            " normal; nothing to see what holds.",
        ),
    ] = None,
    on: Annotated[str | None, typer.Option("--date", help="Another day to come, as YYYY-MM-DD.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say that today is out of the ordinary; lessons that have begun keep their times."""
    from edge_agent.identity.load import load_schedules
    from edge_agent.identity.today import add_change, load_changes, parse_change, today_file

    paths = AgentFolder(folder)
    settings = load_settings(paths)
    now = school_time(paths)
    day = _day(on, now)
    file = today_file(paths.root)
    if change:
        require_own(paths)
        schedules = load_schedules(paths, settings)
        taken = parse_change(" ".join(change), day, int(now.timestamp()), schedules)
        add_change(file, taken)
    said = [item for item in load_changes(file) if item.date == day]
    if as_json:
        rows = [{"change": item.words, "since": _since(item.since, now)} for item in said]
        say(json.dumps({"date": day.isoformat(), "changes": rows}))
        return
    for item in said:
        say(f"{day.isoformat()}: {item.words}, for lessons that begin from {_since(item.since, now)} on")
    if not said:
        say(f"{day.isoformat()}: nothing out of the ordinary; lessons go by the bells and the calendar")
    if change:
        say("A running agent takes it within ten seconds; `normal` takes it back.")


def _day(text: str | None, now: datetime) -> date:
    try:
        day = now.date() if text is None else date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"`{text}` is no date: write it as YYYY-MM-DD") from None
    if day < now.date():
        raise UsageError(f"{day.isoformat()} is over: its lessons are closed, and nothing changes them")
    return day


def _since(moment: int, now: datetime) -> str:
    return datetime.fromtimestamp(moment, now.tzinfo).isoformat(timespec="minutes")
