"""`agent join`: enrol with the district's hub."""

import json
from typing import Annotated

import typer

from edge_agent.commands.common import Folder, say, secret_text
from edge_agent.paths import AgentFolder
from edge_agent.settings import HubSettings, load_hub, load_settings
from shared.errors import UsageError


def join(
    folder: Folder,
    token: Annotated[str, typer.Argument(metavar="TOKEN_FILE", help="A file, or - for standard input.")],
) -> None:
    """Join the district's hub with its one-time invitation."""
    from shared.link import invitations, keys
    from shared.link.joining import join as join_hub

    paths = AgentFolder(folder)
    settings = load_settings(paths)
    if load_hub(paths) is not None:
        raise UsageError(
            f"{paths.hub} exists: this agent has joined a hub already; remove it to join another"
        )
    invitation = invitations.decode(secret_text(token))
    pair = keys.load_or_create(paths.secrets, "agent")
    join_hub(invitation.address, invitation.server_public, pair, invitation.secret, settings.school, 20.0)
    hub = HubSettings(invitation.address, invitation.server_public)
    lines = [f"{name} = {json.dumps(getattr(hub, name))}\n" for name in ("address", "public_key")]
    paths.hub.write_text("# The district's hub, as its invitation named it.\n" + "".join(lines))
    say(f"Joined. The hub's fingerprint: {keys.fingerprint(hub.public_key)}")
    say(f"This agent's fingerprint: {keys.fingerprint(pair.public)}")
