"""`agent replay`: past logs through the whole pipeline."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_agent.commands.common import AsJson, Folder, print_counts, progress_bar, say
from edge_agent.paths import AgentFolder
from shared.errors import CommonGroundError, UsageError

if TYPE_CHECKING:
    from edge_agent.replay.past import Past


def replay(
    folder: Folder,
    logs: Annotated[
        list[Path],
        typer.Argument(metavar="LOG...", help="Past logs, plain, gz or zst; or folders of them."),
    ],
    source: Annotated[str, typer.Option(help="What wrote them: dnsmasq, unbound, squid, zeek, ...")],
    out: Annotated[Path, typer.Option(help="Where the records go, one JSON object a line.")],
    year: Annotated[
        int | None, typer.Option(min=1970, max=2105, help="The year of lines that name none.")
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=PATH", help="A log of another kind beside them; can be repeated."),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option(metavar="NAME_OR_FILE", help="What is where in them, for kinds that need it: events."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put past logs through the whole pipeline; nothing is sent anywhere."""
    from edge_agent.replay.outcome import advice
    from edge_agent.replay.run import replay_folder
    from edge_agent.sight.blind_spot import told

    with progress_bar("Reading the logs") as progress:
        done = replay_folder(
            AgentFolder(folder),
            logs,
            out,
            source=source,
            year=year,
            now=time.time(),
            progress=progress,
            also=others(also or ()),
            mapping=mapping,
        )
    counts = {what: dict(reasons) for what, reasons in sorted(done.counts.items())}
    totals = {"lines": done.lines, "signals": done.signals, "lessons": done.lessons}
    totals["records"] = done.records
    sight = done.sight.told()
    if as_json:
        say(json.dumps({**totals, "counts": counts, "sight": sight}))
    else:
        print_counts(totals, counts)
        say(told(sight))
    if not done.lessons:
        raise CommonGroundError(f"no lesson found. {advice(done)}")
    if not done.records:
        raise CommonGroundError(
            f"{done.lessons} lessons found, none with enough devices to be written: see the reasons above"
        )


def others(given: Sequence[str]) -> "list[Past]":
    """`KIND=PATH` as logs; raises UsageError for anything else."""
    from edge_agent.replay.past import Past

    found = []
    for text in given:
        kind, sign, path = text.partition("=")
        if not (kind and sign and path):
            raise UsageError(f"--also {text}: write KIND=PATH, for example --also xapi=statements.jsonl")
        found.append(Past(kind, [Path(path)]))
    return found
