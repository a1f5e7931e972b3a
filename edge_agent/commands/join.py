"""`agent join`: enrol with the district's hub."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from edge_agent.commands.common import Folder, say, secret_text
from edge_agent.paths import AgentFolder
from edge_agent.settings import hub_file, load_hub, load_settings
from shared.errors import CommonGroundError, UsageError


def join(
    folder: Folder,
    token: Annotated[str, typer.Argument(metavar="TOKEN_FILE", help="A file, or - for standard input.")],
) -> None:
    """Join the district's hub with its one-time invitation."""
    from edge_agent.leaving.hub_link import OWN
    from shared.link import invitations, keys
    from shared.link.joining import join as join_hub
    from shared.link.peer_file import Peer

    paths = AgentFolder(folder)
    settings = load_settings(paths)
    known = load_hub(paths)
    if known is not None:
        raise UsageError(
            f"{paths.hub} exists: this agent has joined a hub already, of fingerprint"
            f" {keys.fingerprint(known.public_key)}; remove that file to join again, or another"
        )
    invitation = invitations.decode(secret_text(token))
    pair = keys.load_or_create(paths.secrets, OWN)
    try:
        join_hub(invitation.address, invitation.server_public, pair, invitation.secret, settings.school, 20.0)
    except CommonGroundError:
        if time.time() >= invitation.expires:
            day = datetime.fromtimestamp(invitation.expires, UTC).date()
            raise CommonGroundError(f"this invitation expired on {day}: ask for a new one") from None
        raise
    hub = Peer(invitation.address, invitation.server_public)
    hub_file(paths).write(hub)
    say(f"Joined. The hub's fingerprint: {keys.fingerprint(hub.public_key)}")
    say(f"This agent's fingerprint: {keys.fingerprint(pair.public)}")
    say("Compare both with the district by telephone: the hub's page /status shows yours.")
    say(f"Then: commonground agent run {folder}")
