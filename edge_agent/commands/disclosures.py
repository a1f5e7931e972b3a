"""`agent disclosures`: what left."""

import json
from pathlib import Path
from typing import Annotated

import typer

from edge_agent.commands.common import AsJson, Folder, reading_store, require_database, say
from edge_agent.leaving.school_key import PRIVATE
from edge_agent.paths import AgentFolder
from shared.errors import CommonGroundError


def disclosures(
    folder: Folder,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check the hash chain, and say only that.")
    ] = False,
    records: Annotated[bool, typer.Option("--records", help="Print the records themselves too.")] = False,
    key: Annotated[
        Path | None, typer.Option("--key", help="The school's private key, if it was moved elsewhere.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", help="Write what parents may see as one HTML file, for the school's website."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what left: kind, time, size and hash of every record."""
    from edge_agent.leaving import school_key
    from edge_agent.store import disclosures as log

    paths = AgentFolder(folder)
    require_database(paths)
    if page is not None:
        from edge_agent.pages.leaving_file import write

        with reading_store(paths) as connection:
            write(page, paths, connection)
        say(f"Wrote {page}: one file that loads nothing, for the school's website.")
        return
    opener = school_key.read(key or paths.secrets / PRIVATE) if records or key else None
    with reading_store(paths) as connection:
        found = connection.execute("SELECT * FROM disclosures ORDER BY seq")
        entries = [log.shown(row, opener if records else None) for row in found]
        count, broken = log.verify(connection, opener) if verify else (len(entries), None)
    if as_json:
        chain = {"chain": {"unbroken": broken is None, "breaks_at": broken}} if verify else {}
        say(json.dumps({"entries": entries, **chain}))
    elif records or not verify:
        for entry in entries:
            say("{seq}  {at}  {kind}  {bytes} bytes  {sha256}".format_map(entry))
            if entry.get("record"):
                say(f"    {json.dumps(entry['record'], ensure_ascii=False)}")
    if broken is not None:
        raise CommonGroundError(f"the chain breaks at entry {broken}: compare it with a backup")
    if verify and not as_json:
        say(f"{count} entries, chain unbroken")
