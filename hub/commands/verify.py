"""`hub verify`: is what this hub holds what the schools disclosed?"""

import sqlite3
import time
from typing import Annotated

import msgspec
import typer

from hub.commands.common import Dir, Json, connected, print_json
from hub.paths import Layout
from hub.store import verification
from hub.store.verification import Finding, Result
from hub.tables import render
from shared import storage
from shared.errors import CommonGroundError, UsageError


class _School(msgspec.Struct, frozen=True):
    school: str
    slug: str
    agree: int
    differ: int
    missing: int
    replaced: int
    without: int
    skipped: int
    findings: list[Finding]


def verify(
    directory: Dir,
    school: Annotated[str | None, typer.Argument(metavar="[SCHOOL]", help="Its name or slug.")] = None,
    as_json: Json = False,
) -> None:
    """Compare every lesson and week with what its school disclosed; exit 1 if one is another."""
    with connected(Layout(directory)) as connection:
        connection.row_factory = sqlite3.Row
        chosen = [one for one in verification.schools(connection) if school in (None, one[1], one[2])]
        if not chosen and school is not None:
            raise UsageError(f"no school is called {school}: `hub schools` lists them")
        found = [_verify(connection, *one) for one in chosen]
    if as_json:
        print_json({"schools": found, "whole": all(_whole(one) for one in found)})
    elif found:
        _say(found)
    else:
        typer.echo("No school yet: `invite` one.")
    wrong = sum(one.differ + one.missing for one in found)
    if wrong:
        raise CommonGroundError(
            f"{wrong} of this hub's records are not what was disclosed: restore them from a backup, or let"
            " their schools say what they sent (`agent disclosures DIR --records`)"
        )


def _verify(connection: sqlite3.Connection, school_id: int, name: str, slug: str) -> _School:
    connection.execute("BEGIN")
    try:
        result: Result = verification.compare(connection, school_id, name)
    finally:
        connection.execute("ROLLBACK")
    with storage.transaction(connection):
        verification.keep(connection, school_id, result, time.time())
    counts = (result.agree, result.differ, result.missing, result.replaced, result.without, result.skipped)
    return _School(name, slug, *counts, result.findings)


def _whole(one: _School) -> bool:
    return not one.differ and not one.missing


def _say(found: list[_School]) -> None:
    header = ("school", "as disclosed", "differ", "missing", "replaced since", "without receipt", "withdrawn")
    rows = [
        (one.school, one.agree, one.differ, one.missing, one.replaced, one.without, one.skipped)
        for one in found
    ]
    typer.echo(render(header, rows))
    named = [(one.school, each) for one in found for each in one.findings]
    wrong = [(school, each.seq, each.kind, each.what, each.about) for school, each in named]
    if wrong:
        typer.echo("\n" + render(("school", "entry", "kind", "what", "which"), wrong))
