"""CURVE key pairs: made once, kept in files that only their owner can read."""

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from shared.errors import SettingsError
from shared.files import sync_folder
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
    return _read(path)


def next_pair(folder: Path, name: str) -> KeyPair | None:
    """The pair that is to follow `folder/name.key`; None when there is none, and none is made.

    Raises as `load_or_create`.
    """
    path = folder / f"{_next(name)}.key"
    try:
        return _read(path)
    except SettingsError:
        if path.exists():
            raise
        return None  # also when it took the other one's place this moment


def make_next(folder: Path, name: str) -> KeyPair:
    """As `next_pair`, made when it is not there yet: on disk before anybody hears of it."""
    return load_or_create(folder, _next(name))


def pairs(folder: Path, name: str) -> tuple[KeyPair, ...]:
    """The pair of `load_or_create` and, while it changes, the next one."""
    pair, following = load_or_create(folder, name), next_pair(folder, name)
    return (pair,) if following is None else (pair, following)


def promote(folder: Path, name: str) -> KeyPair:
    """Put the next pair in the place of `folder/name.key`, in one step; returns the pair in force.

    Without a next pair nothing changes, so that it may be done twice.
    """
    with suppress(FileNotFoundError):
        (folder / f"{_next(name)}.key").replace(folder / f"{name}.key")
    sync_folder(folder)
    return load_or_create(folder, name)


def promote_if(folder: Path, name: str, pair: KeyPair) -> bool:
    """As `promote`, when the next pair is this one; whether it was."""
    following = next_pair(folder, name)
    if following is None or following.public != pair.public:
        return False
    promote(folder, name)
    return True


def fingerprint(public: str) -> str:
    """A public key short enough to read aloud: 8 groups of 4 hexadecimal digits."""
    digest = hashlib.blake2b(public.encode(), digest_size=16).hexdigest()
    return "-".join(digest[i : i + 4] for i in range(0, 32, 4))


def _next(name: str) -> str:
    return f"{name}.next"


def _read(path: Path) -> KeyPair:
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
        sync_folder(folder)
