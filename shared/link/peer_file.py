"""The receiver that a sender joined, as it keeps it in a file: its address and keys, which may change."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from zmq.utils import z85

from shared import settings
from shared.errors import SettingsError
from shared.files import replace
from shared.link.sockets import check_address

KEY_BYTES: Final = 32


class Peer(msgspec.Struct, frozen=True):
    """Where it listens, the key it must prove, and the next one once it announced it, in z85 or ""."""

    address: str
    public_key: str
    next_public_key: str = ""

    @property
    def public_keys(self) -> tuple[str, ...]:
        """The key in force and, while it changes, the next one."""
        return tuple(key for key in (self.public_key, self.next_public_key) if key)


@dataclass(frozen=True, slots=True)
class PeerFile:
    """`path`, TOML, whose first line says in `words` what it is; whole or not at all."""

    path: Path
    words: str

    def load(self) -> Peer | None:
        """Who was joined, or None before that. Raises SettingsError for what names no receiver."""
        if not self.path.exists():
            return None
        found = settings.load(self.path, Peer)
        try:
            check_address(found.address)
        except SettingsError as error:
            raise SettingsError(f"{self.path}: {error}") from None
        if not all(_is_key(key) for key in (found.public_key, *found.public_keys)):
            raise SettingsError(
                f"{self.path}: a key has 40 characters, as in an invitation: restore this file from a backup"
            )
        return found

    def write(self, peer: Peer) -> None:
        """Raises UsageError, and changes nothing, where it cannot be written."""
        values = {name: value for name, value in msgspec.structs.asdict(peer).items() if value}
        lines = [f"# {self.words}\n", *(f"{name} = {json.dumps(value)}\n" for name, value in values.items())]
        replace(self.path, "".join(lines).encode())

    def announced(self, public: str) -> None:
        """The receiver has a next key, or none any more ("")."""
        self._change(next_public_key=public)

    def proven(self, public: str) -> None:
        """The receiver speaks with this key now: it is in force, and there is no next one."""
        self._change(public_key=public, next_public_key="")

    def _change(self, **values: str) -> None:
        known = self.load()
        if known is not None:
            self.write(msgspec.structs.replace(known, **values))


def _is_key(public: str) -> bool:
    try:
        return len(z85.decode(public.encode())) == KEY_BYTES
    except (KeyError, ValueError, struct.error):
        return False
