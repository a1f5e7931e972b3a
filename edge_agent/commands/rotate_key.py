"""`agent rotate-key`: a new key towards the hub, without a gap."""

from edge_agent.commands.common import Folder, say
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_hub, load_settings
from shared.errors import UsageError


def rotate_key(folder: Folder) -> None:
    """Make a new key; the running agent lets the hub know it, goes over to it, and the old one is refused."""
    from edge_agent.leaving.hub_link import OWN
    from shared.link import keys

    paths = AgentFolder(folder)
    load_settings(paths)
    if load_hub(paths) is None:
        raise UsageError("this agent has joined no hub yet: there is no key to change")
    again = keys.next_pair(paths.secrets, OWN) is not None
    pair = keys.make_next(paths.secrets, OWN)
    say(f"{'Still waiting' if again else 'Made'}: a new key, fingerprint {keys.fingerprint(pair.public)}")
    say("The agent goes over to it as soon as it runs and the hub answers: see `agent status`.")
