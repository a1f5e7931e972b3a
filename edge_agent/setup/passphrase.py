"""A stream under a passphrase: Argon2id for the key, libsodium's secretstream for the blocks.

`MAGIC`, 16 bytes of salt, 24 of the stream's header; then blocks, each after its length (4, big-endian).
The last block is marked, so that a file that was cut off does not read as a whole one. The secretstream is
XChaCha20-Poly1305.
"""

import io
import struct
from typing import IO, Final

from nacl import bindings, exceptions, utils
from nacl.pwhash import argon2id

from shared.errors import UsageError

MAGIC: Final = b"CommonGround backup 1\n"
BLOCK: Final = 64 * 1024
SALT: Final = argon2id.SALTBYTES
HEADER: Final = bindings.crypto_secretstream_xchacha20poly1305_HEADERBYTES
_EXTRA: Final = bindings.crypto_secretstream_xchacha20poly1305_ABYTES
_FINAL: Final = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_MESSAGE: Final = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_PASSES: Final = 4
_MEMORY: Final = 64 * 1024 * 1024  # what an agent's small machine has to spare
WRONG: Final = (
    "the passphrase does not open this backup, or the file is spoilt: try another, or an earlier backup"
)


class Sealing(io.RawIOBase):
    """Takes what is written, and writes it sealed to `target`; whole only once it is closed."""

    def __init__(self, target: IO[bytes], passphrase: str) -> None:
        salt = utils.random(SALT)
        self._target = target
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        header = bindings.crypto_secretstream_xchacha20poly1305_init_push(self._state, _key(passphrase, salt))
        target.write(MAGIC + salt + header)
        self._waits = bytearray()

    def writable(self) -> bool:
        """See io."""
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override] # tarfile writes bytes
        """See io."""
        self._waits += data
        while len(self._waits) > BLOCK:
            self._put(bytes(self._waits[:BLOCK]), _MESSAGE)
            del self._waits[:BLOCK]
        return len(data)

    def finish(self) -> None:
        """The last block, marked as such."""
        self._put(bytes(self._waits), _FINAL)
        self._waits.clear()

    def _put(self, block: bytes, tag: int) -> None:
        sealed = bindings.crypto_secretstream_xchacha20poly1305_push(self._state, block, None, tag)
        self._target.write(struct.pack(">I", len(sealed)) + sealed)


class Opening(io.RawIOBase):
    """Reads what was sealed. Raises UsageError for another passphrase, and for what was changed or cut."""

    def __init__(self, source: IO[bytes], passphrase: str) -> None:
        self._source = source
        salt, header = source.read(SALT), source.read(HEADER)
        if len(salt) != SALT or len(header) != HEADER:
            raise UsageError(WRONG)
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        bindings.crypto_secretstream_xchacha20poly1305_init_pull(self._state, header, _key(passphrase, salt))
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        """See io."""
        return True

    def read(self, size: int = -1) -> bytes:
        """See io; fewer bytes than asked for only at the end."""
        parts, wanted = [], size if size >= 0 else 1 << 62
        while wanted > 0 and (self._ready or not self._ended):
            if not self._ready:
                self._ready = self._next()
            part, self._ready = self._ready[:wanted], self._ready[wanted:]
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def _next(self) -> bytes:
        size = self._source.read(4)
        length = struct.unpack(">I", size)[0] if len(size) == 4 else 0
        if not _EXTRA <= length <= BLOCK + _EXTRA:
            raise UsageError(WRONG)
        try:
            block, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(
                self._state, self._source.read(length), None
            )
        except (exceptions.CryptoError, ValueError, TypeError):
            raise UsageError(WRONG) from None
        self._ended = tag == _FINAL
        return bytes(block)


def _key(passphrase: str, salt: bytes) -> bytes:
    size = bindings.crypto_secretstream_xchacha20poly1305_KEYBYTES
    return argon2id.kdf(size, passphrase.encode(), salt, opslimit=_PASSES, memlimit=_MEMORY)
