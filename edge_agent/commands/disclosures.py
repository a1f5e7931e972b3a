"""`agent disclosures`: what left."""

import json
from typing import Annotated

import typer

from edge_agent.commands.common import AsJson, Folder, require_database, say
from edge_agent.paths import AgentFolder
from shared.errors import CommonGroundError


def disclosures(
    folder: Folder,
    verify: Annotated[bool, typer.Option("--verify", help="Check the hash chain.")] = False,
    records: Annotated[bool, typer.Option("--records", help="Print the records themselves too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what left: kind, time, size and hash of every record."""
    from edge_agent.store import disclosures as log
    from shared.storage import reader

    paths = AgentFolder(folder)
    require_database(paths)
    connection = reader(paths.database)
    found = connection.execute(
        "SELECT seq, at, kind, number, bytes, sha256, chain, payload FROM disclosures ORDER BY seq"
    )
    entries = [log.shown(row, records) for row in found]
    count, broken = log.verify(connection) if verify else (len(entries), None)
    connection.close()
    if as_json:
        chain = {"chain": {"unbroken": broken is None, "breaks_at": broken}} if verify else {}
        say(json.dumps({"entries": entries, **chain}))
    else:
        for entry in entries:
            say("{seq}  {at}  {kind}  {bytes} bytes  {sha256}".format_map(entry))
            if entry.get("record"):
                say(f"    {json.dumps(entry['record'], ensure_ascii=False)}")
    if broken is not None:
        raise CommonGroundError(f"the chain breaks at entry {broken}: compare it with a backup")
    if verify and not as_json:
        say(f"{count} entries, chain unbroken")
