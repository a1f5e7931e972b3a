"""`agent replay`: past logs through the whole pipeline."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from edge_agent.commands.common import AsJson, Folder, print_counts, progress_bar, say
from edge_agent.paths import AgentFolder
from shared.errors import CommonGroundError


def replay(
    folder: Folder,
    logs: Annotated[list[Path], typer.Argument(metavar="LOG...", help="Past logs, the oldest first.")],
    source: Annotated[str, typer.Option(help="What wrote them: dnsmasq or pihole.")],
    out: Annotated[Path, typer.Option(help="Where the records go, one JSON object a line.")],
    year: Annotated[
        int | None, typer.Option(min=1970, max=2105, help="The year of lines that name none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put past logs through the whole pipeline; nothing is sent anywhere."""
    from edge_agent.replay import advice, replay_folder

    with progress_bar("Reading the logs") as progress:
        done = replay_folder(
            AgentFolder(folder), logs, out, source=source, year=year, now=time.time(), progress=progress
        )
    counts = {what: dict(reasons) for what, reasons in sorted(done.counts.items())}
    totals = {"lines": done.lines, "signals": done.signals, "lessons": done.lessons}
    totals["records"] = len(done.records)
    if as_json:
        say(json.dumps({**totals, "counts": counts}))
    else:
        print_counts(totals, counts)
    if not done.lessons:
        raise CommonGroundError(f"no lesson found. {advice(done)}")
    if not done.records:
        raise CommonGroundError(
            f"{done.lessons} lessons found, none with enough devices to be written: see the reasons above"
        )
