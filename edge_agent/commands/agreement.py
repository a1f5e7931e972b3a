"""`agent agreement`: the schedule of data of a student-data agreement."""

from pathlib import Path
from typing import Annotated

import typer

from edge_agent.commands.common import AsJson, Folder, reading_store, require_database, say
from edge_agent.paths import AgentFolder
from shared.errors import CommonGroundError


def agreement(
    folder: Folder,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write it here: HTML for a name in .html, else Markdown.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fill the schedule of data of a student-data agreement from what was really disclosed."""
    import msgspec

    from edge_agent.pages import agreement_file
    from edge_agent.store.agreed import read
    from shared import files

    paths = AgentFolder(folder)
    require_database(paths)
    with reading_store(paths) as connection:
        found = read(paths, connection)
    if as_json:
        text = msgspec.json.encode(found).decode()
    elif out is not None and out.suffix.lower() in (".html", ".htm"):
        text = agreement_file.html(found)
    else:
        text = agreement_file.markdown(found)
    if out is None:
        say(text.rstrip("\n"))
    else:
        files.replace(out, text.encode())
        say(f"Wrote {out}.")
    if not found.unbroken:
        raise CommonGroundError(
            "the disclosure log is broken, and the schedule says so: `agent disclosures DIR --verify` says"
            " where; compare it with a backup before anyone signs"
        )
