"""A collector's own folder on its machine: its key, and which agent it reports to; never a signal."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from shared.errors import UsageError
from shared.link import invitations, keys
from shared.link.joining import join
from shared.link.keys import KeyPair
from shared.link.peer_file import Peer, PeerFile
from shared.link.rotation import Keeper
from shared.link.sockets import check_address

KEY: Final = "collector"
JOIN_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Station:
    """The folder of one collector."""

    folder: Path

    @property
    def file(self) -> PeerFile:
        """`collector.toml`: where the school's agent listens, and its keys."""
        return PeerFile(self.folder / "collector.toml", "The agent that this collector joined.")

    def agent(self) -> Peer | None:
        """The agent that this collector joined, or None before that."""
        return self.file.load()

    def key_pair(self) -> KeyPair:
        """The collector's key pair, made when it is not there yet."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return keys.load_or_create(self.folder, KEY)

    def key_pairs(self) -> tuple[KeyPair, ...]:
        """The collector's key pair and, while it changes, the next one."""
        self.key_pair()
        return keys.pairs(self.folder, KEY)

    def make_next_key(self) -> None:
        """Make a key to go over to."""
        keys.make_next(self.folder, KEY)

    @property
    def keeper(self) -> Keeper:
        """Keeps both sides' keys here as they change."""
        return Keeper(renewed=self._renewed, next_key=self.file.announced, server_key=self.file.proven)

    def _renewed(self, pair: KeyPair) -> None:
        """The agent speaks with the new key: it becomes the collector's own. May come twice."""
        keys.promote_if(self.folder, KEY, pair)

    def join(self, token: str, address: str | None) -> Peer:
        """Spend an invitation, at `address` if the way there is another one than the invitation says."""
        invitation = invitations.decode(token)
        found = Peer(check_address(address or invitation.address), invitation.server_public)
        join(
            found.address,
            found.public_key,
            self.key_pair(),
            invitation.secret,
            os.uname().nodename,
            JOIN_SECONDS,
        )
        self.file.write(found)
        return found


def default_folder(kind: str, agent: str) -> Path:
    """Where a collector's folder is if nobody says: one for each kind and agent, for this user alone."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    name = "".join(letter if letter.isalnum() else "-" for letter in agent.removeprefix("tcp://"))
    return Path(base).expanduser() / "commonground" / "collect" / f"{kind}-{name}"


def joined(station: Station, token: str | None, address: str | None) -> Peer:
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
