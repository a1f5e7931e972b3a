"""`agent idle`: learn from logs of a fleet that only slept what its iPads ask for by themselves."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from edge_agent.commands.common import AsJson, Folder, progress_bar, say
from edge_agent.paths import AgentFolder


def idle(
    folder: Folder,
    logs: Annotated[
        list[Path],
        typer.Argument(metavar="LOG...", help="Logs of whole days, plain, gz or zst; or folders of them."),
    ],
    source: Annotated[str, typer.Option(help="What wrote them: dnsmasq, unbound, zeek, ...")],
    year: Annotated[
        int | None, typer.Option(min=1970, max=2105, help="The year of lines that name none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn what iPads ask for by themselves, from days on which nobody used them: a weekend, a holiday."""
    from edge_agent.idle.log import learn_idle
    from edge_agent.idle.nights import DAYS_LEARNT_FROM, NIGHTS

    with progress_bar("Reading the logs") as progress:
        learnt = learn_idle(
            AgentFolder(folder), logs, source=source, year=year, now=time.time(), progress=progress
        )
    if as_json:
        say(json.dumps({"days": learnt.days, "talkers": learnt.talkers, "lines": learnt.read.lines}))
        return
    names = ", ".join(name or "unlisted names" for name in learnt.talkers)
    say(f"{learnt.days} days of a sleeping fleet learnt, for lessons in the {DAYS_LEARNT_FROM} days after.")
    say(
        f"Idle talkers: {names}"
        if names
        else f"No idle talker: fewer than {NIGHTS} iPad-days, or none talks."
    )
