"""The school's own key of the disclosure log: records in it are sealed, and open with the private half alone.

Sealing needs the public half only, so that the private one can be kept away from the agent's machine.
"""

import base64
import binascii
import hashlib
from pathlib import Path
from typing import Final

from shared import files
from shared.errors import SettingsError
from shared.settings import read_secret, write_secret

PRIVATE: Final = "disclosures.key"
PUBLIC: Final = "disclosures.pub"

_BYTES: Final = 32
_ABOUT_PRIVATE: Final = """\
# The private key of this school's disclosure log: it opens the records that left the school.
# The agent does not need it. Move this file to a safe place outside this machine, such as a stick in the
# school's safe, and read the records with: commonground agent disclosures DIR --records --key FILE
"""
_ABOUT_PUBLIC: Final = "# The public key of this school's disclosure log: it seals, and opens nothing.\n"


class Opener:
    """Opens what was sealed for one private key of 32 bytes; `name` is its public half's."""

    def __init__(self, private: bytes) -> None:
        from nacl.public import PrivateKey, SealedBox

        key = PrivateKey(private)
        self.public = bytes(key.public_key)
        self.name = name(self.public)
        self._box = SealedBox(key)

    def open(self, sealed: bytes) -> bytes | None:
        """What was sealed; None when it was changed since, or sealed for another key."""
        from nacl.exceptions import CryptoError

        try:
            return self._box.decrypt(sealed)
        except (CryptoError, ValueError, TypeError):
            return None


def seal(public: bytes, payload: bytes) -> bytes:
    """Bytes that only the private half opens: libsodium's sealed box, 48 bytes longer."""
    from nacl.public import PublicKey, SealedBox  # here, so that nobody else pays for it

    return SealedBox(PublicKey(public)).encrypt(payload)


def name(public: bytes) -> str:
    """What a sealed record's key is called: the first 16 digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def ensure(secrets: Path) -> bytes:
    """The public key of this folder; both halves are made where there is none.

    Raises SettingsError for a file that holds no key.
    """
    public, private = secrets / PUBLIC, secrets / PRIVATE
    if public.exists():
        return _decoded(public.read_bytes(), public)
    if not private.exists():
        from nacl.public import PrivateKey

        write_secret(
            private, _ABOUT_PRIVATE.encode() + base64.b64encode(bytes(PrivateKey.generate())) + b"\n"
        )
    own = read(private)
    files.replace(public, _ABOUT_PUBLIC.encode() + base64.b64encode(own.public) + b"\n")
    return own.public


def read(path: Path) -> Opener:
    """The private key in a file. Raises SettingsError for none, and for one that others can read."""
    if not path.exists():
        raise SettingsError(f"{path} is missing: give the school's key of the disclosure log with --key FILE")
    return Opener(_decoded(read_secret(path), path))


def _decoded(text: bytes, path: Path) -> bytes:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(b"#")]
    try:
        (line,) = lines
        key = base64.b64decode(line.strip(), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != _BYTES:
        raise SettingsError(f"{path} holds no key of a disclosure log: take it from the backup")
    return key
