"""`agent init`: a new folder."""

from typing import Annotated

import typer

from edge_agent.commands.common import Folder, say
from edge_agent.paths import AgentFolder


def init(
    folder: Folder,
    school: Annotated[str, typer.Option(help="The school's name, as the district writes it.")],
    timezone: Annotated[str, typer.Option(help="IANA time zone, such as Europe/Zurich.")],
    port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port of the status page, on this machine only.")
    ] = 8100,
) -> None:
    """Make a folder with a commented agent.toml and new keys."""
    from edge_agent.new_folder import create
    from edge_agent.school_key import PRIVATE

    paths = AgentFolder(folder)
    create(paths, school, timezone, port)
    say(f"Made {paths.settings}. Next:")
    say(f"  1. put inventory, roster and bells into {folder / 'input'}, as agent.toml says")
    say(f"  2. try a past log: commonground agent replay {folder} --source dnsmasq LOG --out records.jsonl")
    say(f"  3. join the district: commonground agent join {folder} TOKEN_FILE, then agent run {folder}")
    say(f"Move {paths.secrets / PRIVATE} to a safe place: it alone opens the records that left, the agent")
    say("does not need it, and nobody can make it again.")
