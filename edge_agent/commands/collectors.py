"""`agent collectors`: who sends signals from other machines."""

import json
from dataclasses import asdict

from edge_agent.commands.common import AsJson, Folder, opened_store, say
from edge_agent.days import rfc3339
from edge_agent.paths import AgentFolder


def collectors(folder: Folder, as_json: AsJson = False) -> None:
    """List the collectors on other machines that joined this agent."""
    from edge_agent.store import collectors as store
    from shared.link.keys import fingerprint

    with opened_store(AgentFolder(folder)) as connection:
        found = store.listed(connection)
        after = store.followed(connection)
    if as_json:
        rows = [
            {
                **asdict(one),
                "fingerprint": fingerprint(one.public_key),
                "replaced_by": fingerprint(after[one.public_key]) if one.public_key in after else None,
            }
            for one in found
        ]
        say(json.dumps(rows))
        return
    if not found:
        say("No collector has joined: `commonground agent invite` prints an invitation.")
    for one in found:
        if one.revoked is None:
            state = f"joined {rfc3339(one.joined)}"
        elif one.public_key in after:
            state = f"replaced {rfc3339(one.revoked)} by {fingerprint(after[one.public_key])}"
        else:
            state = f"revoked {rfc3339(one.revoked)}"
        say(f"{one.name}  {one.kind}  {fingerprint(one.public_key)}  {state}")
