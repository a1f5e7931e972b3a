"""`agent catalogue`: the school's own entries, and how much of what is met the catalogue knows."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from edge_agent.commands.common import AsJson, Folder, reading_store, say
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings
from shared.errors import UsageError

if TYPE_CHECKING:
    from edge_agent.catalogue.report import Coverage

catalogue = typer.Typer(
    invoke_without_command=True,
    no_args_is_help=True,
    help="Which app a name belongs to: the school's own entries, and what is not listed.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")]
Domains = Annotated[
    list[str] | None, typer.Option("--domain", help="A host name; it covers what stands before it. Repeat.")
]
Bundles = Annotated[list[str] | None, typer.Option("--bundle-id", help="As the App Store spells it. Repeat.")]
Function = Annotated[str, typer.Option(help="A row of functions.toml, such as `LC - Study Tools`.")]
Weights = Annotated[str, typer.Option(metavar="SHARES", help="Such as `practise 0.7, consume 0.3`.")]
OffTask = Annotated[bool, typer.Option("--off-task", help="A game, videos, social media, music.")]
NoUse = Annotated[bool, typer.Option("--background", help="NAME is a host name that is no use at all.")]
Id = Annotated[str, typer.Option("--id", help="One of a shipped or district entry puts that one out of use.")]


@catalogue.callback()
def _folder(context: typer.Context, folder: Folder) -> None:
    """The school's own entries of the catalogue: list, add, remove, try, coverage. Alone it lists them. A
    running agent takes a change up within seconds.
    """
    context.obj = folder
    if context.invoked_subcommand is None:
        list_(context)


@catalogue.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """The version in use, the school's own entries and the district's."""
    from edge_agent.catalogue.in_use import load_in_use

    found = load_in_use(_paths(context))
    district = found.district
    if as_json:
        told = {
            "version": found.catalogue.version,
            "own": msgspec.to_builtins(found.school),
            "district": None if district is None else msgspec.to_builtins(district),
            "trouble": found.trouble,
        }
        say(json.dumps(told, ensure_ascii=False))
        return
    say(f"version {found.catalogue.version}")
    said = [("own", found.school)]
    if district is not None:
        say(f"the district's catalogue: number {district.number}, version {district.version}")
        said.append(("district", district.overlay))
    for whose, overlay in said:
        for one in overlay.app:
            say(f"{whose:<9} {one.id:<32} {one.name}: {', '.join(one.domains or one.bundle_ids)}")
        for name in overlay.background:
            say(f"{whose:<9} {name:<32} no use")
    if not any(overlay for _, overlay in said):
        say("No entries beyond the shipped ones.")
    if found.trouble:
        raise UsageError(found.trouble)


@catalogue.command()
def add(
    context: typer.Context,
    name: Name,
    domains: Domains = None,
    bundle_ids: Bundles = None,
    function: Function = "",
    channels: Weights = "",
    off_task: OffTask = False,
    background: NoUse = False,
    entry_id: Id = "",
) -> None:
    """Add an entry, or change the one of its id."""
    from edge_agent.catalogue import own

    paths = _paths(context)
    if background:
        if domains or bundle_ids or function or channels or off_task:
            raise UsageError("--background goes with a host name alone: `add HOST --background`")
        own.put_background(paths, [name])
        say(f"{own.host(name)} is not use from now on. A running agent takes it up within seconds.")
        return
    entry = own.entry_of(
        name,
        entry_id=entry_id,
        domains=domains or (),
        bundle_ids=bundle_ids or (),
        function=function,
        channels=own.weights_of(channels) if channels else None,
        off_task=off_task,
    )
    own.put(paths, entry)
    say(f"{entry.id} is written down. A running agent takes it up within seconds.")


@catalogue.command()
def remove(context: typer.Context, name: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Take an own entry (its id) or a background name away; what was met under it keeps what it meant."""
    from edge_agent.catalogue import own

    own.remove(_paths(context), name)
    say(f"{name} is taken away. A running agent takes it up within seconds.")


@catalogue.command("try")
def try_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A host name, or an own entry's id.")],
    as_json: AsJson = False,
) -> None:
    """Whose a host name is, and which counted names an entry for it would meet; changes nothing."""
    from edge_agent.catalogue import own
    from edge_agent.catalogue.in_use import load_in_use
    from edge_agent.catalogue.trying import owner, try_entry
    from models.catalogue.match import NameMatcher
    from models.catalogue.overlay import Entry
    from models.catalogue.registrable import registrable

    paths = _paths(context)
    found = load_in_use(paths)
    entry = next((one for one in found.school.app if one.id == name), None)
    host = "" if entry else own.host(name)
    if entry is None and not registrable(host):
        raise UsageError(f"`{name}` is neither a host name nor the id of an own entry")
    report = _report(paths)
    whose = "" if entry else owner(NameMatcher(found.catalogue).match(host), found.catalogue)
    tried = try_entry(
        entry or Entry("tried", host, (host,), off_task=True), found.catalogue, report.unlisted, report.week
    )
    if as_json:
        told = {
            "name": name,
            "owner": whose or None,
            "meets": [msgspec.to_builtins(one) for one in tried.meets],
            "contacts": tried.contacts,
            "unlisted": tried.unlisted,
        }
        say(json.dumps(told, ensure_ascii=False))
        return
    if entry is None:
        say(f"{host}: {f'listed, {whose}' if whose else 'unlisted'}")
    for one in tried.meets:
        part = "" if one.whole else ", of which a part"
        say(f"{one.domain}: {one.contacts} look-ups in a week{part}, at most {one.devices} devices in a day")
    if not tried.meets:
        say("No counted name: ten devices have to ask for one on a day before it is shown.")


@catalogue.command()
def coverage(
    context: typer.Context,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Which share of what is met in lessons is listed, by day; and the names that are missing."""
    report = _report(_paths(context))
    if as_csv:
        typer.echo(report.as_csv(), nl=False)
        return
    if as_json:
        say(json.dumps(report.as_json()))
        return
    say("day          listed  off task  unlisted  background  known")
    for day in report.days:
        known = "-" if day.known is None else f"{day.known:.0%}"
        numbers = f"{day.listed:>8} {day.off_task:>9} {day.unlisted:>9} {day.background:>11}"
        say(f"{day.day:<10} {numbers} {known:>6}")
    say("")
    for one in report.unlisted:
        say(f"{one.domain}: {one.contacts} look-ups in a week, at most {one.devices} devices in a day")
    if not report.unlisted:
        say("No unlisted name that ten or more devices asked for on a day.")


def _paths(context: typer.Context) -> AgentFolder:
    folder: Path = context.obj
    paths = AgentFolder(folder)
    load_settings(paths)
    return paths


def _report(paths: AgentFolder) -> "Coverage":
    from edge_agent.catalogue.report import coverage as report

    with reading_store(paths) as connection:
        return report(connection)
