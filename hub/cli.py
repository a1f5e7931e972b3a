"""`commonground hub ...`: the hub's commands; errors are raised, the front door prints them."""

import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hub import folder, settings
from hub.paths import Layout
from hub.settings import DEFAULT_LINK, DEFAULT_PORT
from hub.store import enrolments
from hub.tables import render
from hub.views import Views
from shared.storage import transaction

app = typer.Typer(
    name="hub",
    help="The hub in the district: schools deliver to it, people read its pages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The hub's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Port = Annotated[int, typer.Option(min=1, max=65_535, help="Port of the pages on this machine.")]


@app.command()
def init(
    directory: Dir,
    district: Annotated[str, typer.Option(help="Name of the district, as the pages show it.")],
    port: Port = DEFAULT_PORT,
    link: Annotated[str, typer.Option(help="Where to listen for the schools' agents.")] = DEFAULT_LINK,
    public: Annotated[
        str | None, typer.Option(help="What invitations name, if schools reach this hub by another address.")
    ] = None,
    simulated: Annotated[bool, typer.Option("--simulated", help="Every school here is simulated.")] = False,
) -> None:
    """Set up a hub in a new folder."""
    layout = Layout(directory)
    folder.create(layout, district, port, link, simulated, public)
    typer.echo(f"{layout.settings} is written. Next: `commonground hub run {directory}`.")


@app.command()
def run(
    directory: Dir,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Port of the pages, instead of the settings'.")
    ] = None,
) -> None:
    """Receive from the schools and serve the pages, until stopped."""
    from hub import server  # the other commands start without the web server
    from shared import logs

    logs.to_stderr()
    server.run(Layout(directory), port)


@app.command()
def invite(
    directory: Dir,
    school: Annotated[str, typer.Option(help="The school's name, as in its agent's settings.")],
    simulated: Annotated[bool, typer.Option("--simulated", help="Its data are simulated.")] = False,
) -> None:
    """Print a token with which the school's agent joins, once."""
    layout = Layout(directory)
    own = settings.load(layout)
    address = settings.advertised(own)
    name = settings.checked_name(school, "school")
    public = folder.link_keys(layout).public
    with _store(layout) as connection:
        token = enrolments.invite(connection, name, simulated or own.simulated, address, public, time.time())
    typer.echo(token)


@app.command()
def revoke(
    directory: Dir, school: Annotated[str, typer.Argument(metavar="SCHOOL", help="Its name or slug.")]
) -> None:
    """Refuse a school's key from now on; what it sent stays."""
    with _store(Layout(directory)) as connection:
        name = enrolments.revoke(connection, school, time.time())
    typer.echo(f"{name} is revoked: its agent is refused from now on; what it sent stays.")


@app.command()
def schools(directory: Dir, as_json: Json = False) -> None:
    """List the schools by name."""
    views = _views(Layout(directory))
    found = views.status().schools
    views.close()
    if as_json:
        _print_json(found)
        return
    header = ("school", "slug", "state", "lessons shared", "weeks", "latest week", "backlog")
    rows = [
        (
            one.name + (" (simulated)" if one.simulated else ""),
            *(one.slug, one.freshness_words, one.lessons_shared, one.weeks, one.latest_week, one.backlog),
        )
        for one in found
    ]
    typer.echo(render(header, rows) if rows else "No school yet: `invite` one.")


@app.command("import-usage")
def import_usage(
    directory: Dir,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="A LearnPlatform folder, or its CSV files.")
    ],
    as_json: Json = False,
) -> None:
    """Import usage exports as weekly units; every row that is left out is counted by its reason."""
    from hub.usage.load import import_usage as load  # numpy and the scorer, for this command alone

    with _connected(Layout(directory)) as connection:
        reports = load(connection, paths, _with_progress)
    if as_json:
        _print_json(reports)
        return
    header = ("file", "district", "weeks", "days", "rows", "used", "no use", "left out")
    rows = [
        (
            *(one.file, one.district or None, one.weeks, one.days, one.rows, one.used, one.not_used),
            ", ".join(f"{reason} {count}" for reason, count in sorted(one.refused.items())) or None,
        )
        for one in reports
    ]
    typer.echo(render(header, rows))


@app.command()
def status(directory: Dir, as_json: Json = False) -> None:
    """Say how the hub is: schools, what was received, what was refused."""
    views = _views(Layout(directory))
    found = views.status()
    views.close()
    if as_json:
        _print_json(found)
        return
    typer.echo(f"{found.district}{' (simulated)' if found.simulated else ''}: {len(found.schools)} schools")
    rows: list[tuple[object, ...]] = [(one.name, one.freshness_words, one.backlog) for one in found.schools]
    if rows:
        typer.echo(render(("school", "state", "backlog"), rows))
    own = [f"{one.id} {one.version}" for one in found.models if one.own]
    if own:
        typer.echo(f"Models of the district's own: {', '.join(own)}")
    received = [(one.reason, one.count) for one in found.counters]
    if received:
        typer.echo("\n" + render(("received", "count"), received))
    refused = [(one.day, one.school, one.reason, one.count) for one in found.refused]
    if refused:
        typer.echo("\n" + render(("day", "school", "refused", "count"), refused))
    typer.echo(
        f"\nInvitation open: {'yes' if found.inviting else 'no'}. Refused records kept: {found.quarantine}."
    )


def _views(layout: Layout) -> Views:
    with _connected(layout):
        return Views(layout.folder)


@contextmanager
def _connected(layout: Layout) -> Iterator[sqlite3.Connection]:
    connection = folder.connect(layout)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _store(layout: Layout) -> Iterator[sqlite3.Connection]:
    with _connected(layout) as connection, transaction(connection):
        yield connection


def _with_progress(paths: Sequence[Path]) -> Iterator[Path]:
    if not sys.stderr.isatty():
        yield from paths
        return
    with typer.progressbar(paths, label="Importing", file=sys.stderr) as bar:
        yield from bar


def _print_json(value: object) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
