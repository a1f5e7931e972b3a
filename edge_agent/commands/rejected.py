"""`agent rejected`: records that the district would not take, and what becomes of them."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from edge_agent.commands.common import AsJson, Folder, now, opened_store, require_database, say, school_day
from edge_agent.paths import AgentFolder
from shared.errors import UsageError

rejected = typer.Typer(
    invoke_without_command=True, no_args_is_help=True, help="Records that the district would not take."
)

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="As `list` numbers them.", min=1)]
Numbers = Annotated[list[int] | None, typer.Argument(metavar="NUMBER...", help="As `list` numbers them.")]
Every = Annotated[bool, typer.Option("--all", help="Every refused record.")]


@rejected.callback()
def _folder(context: typer.Context, folder: Folder) -> None:
    """Records that the district would not take: list, show, retry, drop. Alone it lists them. Works while
    the agent runs.
    """
    context.obj = folder
    if context.invoked_subcommand is None:
        list_(context)


@rejected.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """Number, kind, when it was refused, why, and its bytes."""
    from shared.link import aside
    from shared.storage import reader

    connection = reader(_paths(context).database)
    found = aside.listed(connection)
    connection.close()
    rows = [asdict(item) | {"refused": _when(item.refused)} for item in found]
    if as_json:
        say(json.dumps({"rejected": rows}))
        return
    for row in rows:
        say("{number}  {kind}  {refused}  {reason}  {bytes} bytes".format_map(row))
    if not rows:
        say("The district refused no record.")


@rejected.command()
def show(context: typer.Context, number: Number) -> None:
    """Print one record as it was refused."""
    from shared.link import aside
    from shared.storage import reader

    connection = reader(_paths(context).database)
    try:
        payload = aside.payload(connection, number)
    finally:
        connection.close()
    say(json.dumps(json.loads(payload), ensure_ascii=False, indent=2))


@rejected.command()
def retry(context: typer.Context, numbers: Numbers = None, every: Every = False) -> None:
    """Send the same records again: each leaves anew, with an entry of its own in the disclosure log."""
    from edge_agent.store import rejected as store
    from shared.link import aside

    paths = _paths(context)
    today = school_day(paths)
    with opened_store(paths) as connection:
        chosen = aside.every(connection, _chosen(numbers, every))
        renewed = store.retry(connection, chosen, today=today, at=now(paths))
    for old, new in zip(chosen, renewed, strict=True):
        say(f"{old} goes again as {new}")
    _say_count(len(renewed), "sent again")


@rejected.command()
def drop(context: typer.Context, numbers: Numbers = None, every: Every = False) -> None:
    """Let records go for good; they stay counted."""
    from edge_agent.store import rejected as store
    from shared.link import aside

    with opened_store(_paths(context)) as connection:
        chosen = aside.every(connection, _chosen(numbers, every))
        store.drop(connection, chosen)
    _say_count(len(chosen), "dropped")


def _paths(context: typer.Context) -> AgentFolder:
    folder: Path = context.obj
    paths = AgentFolder(folder)
    require_database(paths)
    return paths


def _chosen(numbers: list[int] | None, every: bool) -> list[int]:
    if bool(numbers) == every:
        raise UsageError("name the numbers of the records, or --all: `list` shows them")
    return numbers or []


def _say_count(count: int, done: str) -> None:
    say(f"{count} {'record' if count == 1 else 'records'} {done}")


def _when(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).isoformat()
