"""A collector's own folder on its machine: its key, and which agent it reports to; never a signal."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from shared import settings
from shared.errors import UsageError
from shared.files import replace
from shared.link import invitations, keys
from shared.link.joining import join
from shared.link.keys import KeyPair
from shared.link.sockets import check_address

KEY: Final = "collector"
JOIN_SECONDS: Final = 20.0


class AgentAddress(msgspec.Struct, frozen=True):
    """`collector.toml`: where the school's agent listens, the key it must prove, and its next one."""

    address: str
    public_key: str
    next_public_key: str = ""


@dataclass(frozen=True)
class Station:
    """The folder of one collector."""

    folder: Path

    @property
    def settings(self) -> Path:
        return self.folder / "collector.toml"

    def agent(self) -> AgentAddress | None:
        """The agent that this collector joined, or None before that."""
        return settings.load(self.settings, AgentAddress) if self.settings.exists() else None

    def key_pair(self) -> KeyPair:
        """The collector's key pair, made when it is not there yet."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return keys.load_or_create(self.folder, KEY)

    def key_pairs(self) -> tuple[KeyPair, ...]:
        """The collector's key pair and, while it changes, the next one."""
        pair, following = self.key_pair(), keys.next_pair(self.folder, KEY)
        return (pair,) if following is None else (pair, following)

    def make_next_key(self) -> None:
        """Make a key to go over to."""
        keys.make_next(self.folder, KEY)

    def renewed(self, pair: KeyPair) -> None:
        """The agent speaks with the new key: it becomes the collector's own. May come twice."""
        following = keys.next_pair(self.folder, KEY)
        if following is not None and following.public == pair.public:
            keys.promote(self.folder, KEY)

    def agent_changes(self, which: str, public: str) -> None:
        """The agent has a new key, or will have."""
        known = self.agent()
        if known is not None:
            changed = {"next_public_key": ""} if which == "public_key" else {}
            self.remember(msgspec.structs.replace(known, **{**changed, which: public}))

    def remember(self, agent: AgentAddress) -> None:
        """Keep which agent this is, whole or not at all."""
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in msgspec.structs.asdict(agent).items()]
        replace(self.settings, ("# The agent that this collector joined.\n" + "".join(lines)).encode())

    def join(self, token: str, address: str | None) -> AgentAddress:
        """Spend an invitation, at `address` if the way there is another one than the invitation says."""
        invitation = invitations.decode(token)
        found = AgentAddress(check_address(address or invitation.address), invitation.server_public)
        join(
            found.address,
            found.public_key,
            self.key_pair(),
            invitation.secret,
            os.uname().nodename,
            JOIN_SECONDS,
        )
        self.remember(found)
        return found


def default_folder(kind: str, agent: str) -> Path:
    """Where a collector's folder is if nobody says: one for each kind and agent, for this user alone."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    name = "".join(letter if letter.isalnum() else "-" for letter in agent.removeprefix("tcp://"))
    return Path(base).expanduser() / "commonground" / "collect" / f"{kind}-{name}"


def joined(station: Station, token: str | None, address: str | None) -> AgentAddress:
    """The agent of this station, joined now if it has not been. Raises UsageError without an invitation.

    A collector that joined before needs no token, and passes over one that it is given again.
    """
    known = station.agent()
    if known is not None:
        return known if address is None else msgspec.structs.replace(known, address=check_address(address))
    if token is None:
        raise UsageError(
            f"{station.folder} has joined no agent yet: give the invitation with --token, printed by"
            " `commonground agent invite DIR --collector NAME --kind KIND` on the agent's machine"
        )
    return station.join(token, address)
