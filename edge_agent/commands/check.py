"""`agent check`: what to look at, before anything runs and any time after."""

import json
import sqlite3
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from edge_agent.commands.common import AsJson, Folder, opened_store, progress_bar, require_own, say
from edge_agent.days import day_start, rfc3339
from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings, load_settings
from shared.errors import CommonGroundError, UsageError

if TYPE_CHECKING:
    from edge_agent.check.facts import Facts
    from edge_agent.check.findings import Finding
    from edge_agent.pages.shape import AgentStatus

_SIGNS = {"ok": "ok  ", "look": "LOOK", "fix": "FIX "}


def check(
    folder: Folder,
    since: Annotated[
        str | None, typer.Option(help="Only look-ups from this day on count, as YYYY-MM-DD.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what works, what to look at and what to fix; nothing is sent anywhere.

    The newest 16 MiB of each log are read as the agent would read them, and nothing of them is kept.

    Ends with 0 if all is well, 3 if there is something to look at, 4 if there is something to fix, 1 if the
    check itself failed, 2 if it was called wrongly.
    """
    from edge_agent.check.all import findings
    from edge_agent.check.findings import EXIT_CODES, worst
    from edge_agent.check.gather import gather

    paths = AgentFolder(folder)
    settings = load_settings(paths)
    require_own(paths)
    start = None if since is None else _start(since, settings)
    with progress_bar("Reading the newest lines") as progress:
        facts = gather(paths, _running(settings, paths), since=start, progress=progress)
    found = findings(facts)
    level = worst(found)
    ticked = _keep(paths, found, facts) if start is None else frozenset()
    if as_json:
        rows = [_row(finding, finding.id in ticked) for finding in found]
        about = {"school": settings.school, "checked": rfc3339(facts.now), "level": level}
        say(json.dumps({**about, "lines": facts.seen.lines, "findings": rows}, ensure_ascii=False))
    else:
        _print(found, ticked)
    raise typer.Exit(EXIT_CODES[level])


def _running(settings: AgentSettings, paths: AgentFolder) -> "AgentStatus | None":
    """What the running agent says of itself; None if none answers."""
    from edge_agent.asking import ask

    try:
        return ask(settings, paths.root)[1]
    except CommonGroundError:
        return None


def _keep(paths: AgentFolder, found: "list[Finding]", facts: "Facts") -> frozenset[str]:
    """Keep the result for the agent's page, if the agent ever ran; which findings are ticked off."""
    from edge_agent.check.apps import as_shown
    from edge_agent.store import app_days, checks

    if not paths.database.exists():
        return frozenset()
    with suppress(sqlite3.OperationalError), opened_store(paths) as connection:
        checks.keep(connection, found, facts.now)
        if facts.apps is not None:
            app_days.keep(connection, facts.apps.days, as_shown(facts.apps))
        elif facts.school is not None:
            app_days.forget(connection)
        return frozenset(one.finding.id for one in checks.listed(connection) if one.ticked)
    return frozenset()


def _start(since: str, settings: AgentSettings) -> float:
    try:
        return float(day_start(date.fromisoformat(since), settings.zone))
    except ValueError:
        raise UsageError(f"`{since}` is no date: write it as YYYY-MM-DD") from None


def _row(finding: "Finding", ticked: bool) -> dict[str, object]:
    return {
        "id": finding.id,
        "level": finding.level,
        "what": finding.what,
        "figures": dict(finding.figures),
        "do": finding.do,
        "examples": list(finding.examples),
        "ticked": ticked,
    }


def _print(found: "list[Finding]", ticked: frozenset[str]) -> None:
    for finding in found:
        say(f"{_SIGNS[finding.level]}  {finding.what}{' (ticked off)' if finding.id in ticked else ''}")
        if finding.examples:
            say(f"      For example {', '.join(finding.examples)}.")
        if finding.do:
            say(f"      {finding.do}")
    open_ = [finding for finding in found if finding.level != "ok"]
    fix = sum(finding.level == "fix" for finding in open_)
    say(f"{fix} to fix, {len(open_) - fix} to look at, {len(found) - len(open_)} well.")
