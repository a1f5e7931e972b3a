"""`hub import-usage`: usage exports as weekly units."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from hub.commands.common import Dir, Json, connected, opened_store, print_json, with_progress
from hub.paths import Layout
from hub.tables import render
from shared.errors import UsageError

if TYPE_CHECKING:
    from hub.usage.write import FileReport

NOTHING: Final = 1
IN_PART: Final = 3

_HINTS = {
    "utf_16": "save it as UTF-8 (in a spreadsheet: `CSV UTF-8`) and import it again",
    "no_header": "its header line lacks a column that the mapping names: compare the two",
}
_OTHER_EXPORT = (
    "not as LearnPlatform writes it: say how to read it, `--mapping lightspeed`, `--mapping catchon`"
    " or `--mapping FILE.toml`"
)


def import_usage(
    directory: Dir,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH...", help="A LearnPlatform folder, or CSV files of an export."),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="How to read another export: lightspeed, catchon, learnplatform, a file.",
        ),
    ] = None,
    district: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --mapping: whose export it is, a short name.")
    ] = None,
    school: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --mapping: the same, where it is one school's.")
    ] = None,
    forget: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Instead: take a file off the page's list of those left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Import usage exports as weekly units; every row that is left out is counted by its reason.

    With --mapping all the files are one district's or school's, and take the place of what it had before.

    Ends with 0 if something of every file was of use, 3 if nothing of some file was, 1 if nothing at all.
    """
    if forget is not None:
        _forget(Layout(directory), forget, alone=not (paths or mapping or district or school))
        return
    if not paths:
        raise UsageError("name a folder of an export, or its CSV files")
    reports = _load(Layout(directory), paths, mapping, district, school)
    if as_json:
        print_json(reports)
    else:
        _say(reports, mapping)
    useless = [one for one in reports if not (one.used or one.not_used)]
    if useless:
        raise typer.Exit(NOTHING if len(useless) == len(reports) else IN_PART)


def _forget(layout: Layout, file: str, *, alone: bool) -> None:
    from hub.usage.files import name_of
    from hub.usage.write import forget_refused

    if not alone:
        raise UsageError("--forget goes alone: import in another command")
    with opened_store(layout) as connection:
        if not forget_refused(connection, name_of(Path(file))):
            raise UsageError(f"{file} is not on the list: the page at /usage shows what is")


def _say(reports: "Sequence[FileReport]", mapping: str | None) -> None:
    header = ("file", "district", "weeks", "days", "rows", "used", "no use", "left out")
    rows = [
        (
            *(one.file, one.district or None, one.weeks, one.days, one.rows, one.used, one.not_used),
            ", ".join(f"{reason} {count}" for reason, count in sorted(one.refused.items())) or None,
        )
        for one in reports
    ]
    typer.echo(render(header, rows))
    for one in reports:
        if mapping is None and not one.rows and "wrong_columns" in one.refused:
            typer.echo(f"{one.file}: wrong_columns: {_OTHER_EXPORT}", err=True)
        for reason in sorted(_HINTS.keys() & one.refused.keys()):
            typer.echo(f"{one.file}: {reason}: {_HINTS[reason]}", err=True)
    useless = [one.file for one in reports if not (one.used or one.not_used)]
    if len(useless) < len(reports):
        for name in useless:
            typer.echo(f"Nothing of {name} was imported.", err=True)
    else:
        typer.echo("Nothing was imported: no row could be used.", err=True)


def _load(
    layout: Layout, paths: Sequence[Path], mapping: str | None, district: str | None, school: str | None
) -> "list[FileReport]":
    from hub.usage.load import import_usage as load  # numpy and the scorer, for this command alone
    from hub.usage.load_mapped import import_mapped
    from hub.usage.mapped import load_mapping

    if mapping is None:
        if district is not None or school is not None:
            raise UsageError("--district and --school go with --mapping; LearnPlatform's files name theirs")
        with connected(layout) as connection:
            return load(connection, paths, with_progress)
    if (district is None) == (school is None):
        raise UsageError("with --mapping, say whose export it is: --district NAME or --school NAME")
    own = load_mapping(mapping)
    whose = {"export": Path(mapping).stem, "of": "a district" if school is None else "a school"}
    with connected(layout) as connection:
        return import_mapped(connection, paths, own, district or school or "", whose, with_progress)
