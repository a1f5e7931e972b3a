"""The agent's own key pair towards collectors: another one than towards the district's hub."""

from typing import Final

from edge_agent.paths import AgentFolder
from shared.link import keys

INTAKE_KEY: Final = "intake"


def intake_keys(folder: AgentFolder) -> keys.KeyPair:
    """The pair that the agent proves to its collectors, made when it is not there yet."""
    return keys.load_or_create(folder.secrets, INTAKE_KEY)
