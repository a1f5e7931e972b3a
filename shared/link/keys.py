"""CURVE key pairs: made once, kept in files that only their owner can read."""

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from shared.errors import SettingsError
from shared.settings import read_secret, write_secret


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A CURVE key pair, both halves in z85 (40 characters); the secret never shows in a message."""

    public: str
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls) -> "KeyPair":
        public, secret = zmq.curve_keypair()
        return cls(public.decode(), secret)


def load_or_create(folder: Path, name: str) -> KeyPair:
    """The pair whose secret half is `folder/name.key` (0600), made when it is not there yet.

    Raises SettingsError when the file is readable by others or holds no key.
    """
    path = folder / f"{name}.key"
    if not path.exists():
        _create(folder, path)
    secret = read_secret(path).strip()
    try:
        return KeyPair(zmq.curve_public(secret).decode(), secret)
    except (ValueError, zmq.ZMQError):
        raise SettingsError(f"{path} holds no CURVE key: restore it from the backup of this folder") from None


def _create(folder: Path, path: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".{path.name}.{secrets.token_hex(8)}"
    write_secret(draft, KeyPair.new().secret + b"\n")
    try:
        # A link appears whole or not at all, and never replaces a key that another process just made.
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def fingerprint(public: str) -> str:
    """A public key short enough to read aloud: 8 groups of 4 hexadecimal digits."""
    digest = hashlib.blake2b(public.encode(), digest_size=16).hexdigest()
    return "-".join(digest[i : i + 4] for i in range(0, 32, 4))
