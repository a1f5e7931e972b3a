"""`agent init`: a new folder, with what the school has in its settings."""

import sys
from typing import Annotated

import typer

from edge_agent.commands.common import Folder, say
from edge_agent.paths import AgentFolder
from shared.errors import UsageError

_SCHOOL = typer.Option(help="The school's name, as the district writes it.")
_SOURCE = typer.Option(
    metavar="KIND=PATH", help="A log, export, or udp://, tcp://, unix: address; may repeat."
)
_LEASES = typer.Option(
    metavar="KIND=PATH", help="Who has which address (dnsmasq, dhcpd, kea, windows); may repeat."
)


def init(
    folder: Folder,
    school: Annotated[str | None, _SCHOOL] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA time zone, such as Europe/Zurich.")] = None,
    port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port of the status page, on this machine only.")
    ] = 8100,
    source: Annotated[list[str] | None, _SOURCE] = None,
    leases: Annotated[list[str] | None, _LEASES] = None,
    roster: Annotated[str, typer.Option(help="OneRoster folder or zip, or Apple School Manager's zip.")] = "",
    inventory: Annotated[str, typer.Option(help="The MDM's export, or a folder of exports.")] = "",
    bells: Annotated[str, typer.Option(help="The bell schedule, CSV.")] = "",
    timetable: Annotated[str, typer.Option(help="CSV, if the roster has no periods.")] = "",
    calendar: Annotated[str, typer.Option(help="CSV of holidays, half days, rotation days.")] = "",
    opt_outs: Annotated[str, typer.Option(help="CSV of families that said no.")] = "",
    no_input: Annotated[bool, typer.Option("--no-input", help="Never ask, also at a terminal.")] = False,
) -> None:
    """Make a folder with a commented agent.toml and new keys; at a terminal it asks what was not said."""
    from edge_agent.leaving.school_key import PRIVATE
    from edge_agent.new_folder import create, refuse_used
    from edge_agent.setup import answers
    from edge_agent.setup.asking import asked
    from edge_agent.setup.next_steps import next_steps
    from edge_agent.setup.zones import doubt

    paths = AgentFolder(folder)
    files = {
        "inventory": inventory,
        "roster": roster,
        "bells": bells,
        "timetable": timetable,
        "calendar": calendar,
        "opt_outs": opt_outs,
    }
    said = answers.Answers(
        school or "",
        timezone or "",
        port,
        [answers.pair(text, "--source", answers.source_kinds()) for text in source or ()],
        [answers.pair(text, "--leases", answers.ADDRESSES) for text in leases or ()],
        {key: path for key, path in files.items() if path},
    )
    if school is None or timezone is None:
        if no_input or not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UsageError("give --school and --timezone: there is nobody at a terminal to ask")
        refuse_used(paths)
        said = asked(said)
    create(paths, said)
    if timezone is not None and (against := doubt(timezone)):
        typer.echo(f"warning: {against}, as `timezone` in {paths.settings}", err=True)
    for line in next_steps(folder, _missing(paths), paths.secrets / PRIVATE):
        say(line)


def _missing(paths: AgentFolder) -> list[str]:
    from edge_agent.settings import load_settings
    from edge_agent.setup.keep import school_files

    settings = load_settings(paths)
    named = [*school_files(paths, settings), *(source.path for source in settings.sources if source.path)]
    named += [table.path for table in settings.addresses]
    return [name for name in named if not paths.resolve(name).exists()]
