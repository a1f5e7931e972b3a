"""Bytes of a file as they were before it was compressed with gzip or zstd, known by the first bytes."""

import errno
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import zstandard

LONGEST_MAGIC: Final = 6
MAX_WINDOW: Final = 1 << 27  # what the zstd program, too, takes without being told to
_FOREIGN: Final = (b"BZh", b"\xfd7zXZ\0", b"PK\x03\x04", b"\x1f\x9d", b"\x04\x22\x4d\x18", b"7z\xbc\xaf")


class ForeignFileError(OSError):
    """A file is compressed in a way that is not read here."""

    def __init__(self) -> None:
        super().__init__(errno.EINVAL, "it is compressed, and neither by gzip nor by zstd: decompress it")


@dataclass(frozen=True, slots=True)
class Form:
    """A way to compress. `step` bytes of it become 16 MiB at worst: that is what a bomb can do.

    make: what decompresses one member; it has `decompress`, `eof` and `unused_data`.
    """

    magic: bytes
    make: Callable[[], Any]
    step: int
    error: type[Exception]


FORMS: Final = (
    Form(b"\x1f\x8b\x08", lambda: zlib.decompressobj(wbits=31), 4 * 1024, zlib.error),
    Form(
        b"\x28\xb5\x2f\xfd",
        lambda: zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj(),
        512,
        zstandard.ZstdError,
    ),
)


def form_of(first: bytes) -> Form | None:
    """How a file that begins with these bytes is compressed, or None for a plain one."""
    return next((form for form in FORMS if first.startswith(form.magic)), None)


def is_foreign(first: bytes) -> bool:
    """Whether a file that begins with these bytes is compressed in a way that is not read here."""
    return first.startswith(_FOREIGN)


class Unpacked:
    """Reads at offsets of the decompressed bytes; cheap only where the offsets go forward.

    What is damaged or ends too early is read as far as it goes; a file that still grows is read on when
    more is there. Raises nothing but OSError.
    """

    def __init__(self, file: io.FileIO, form: Form) -> None:
        self._file = file
        self._form = form
        self._begin()

    @property
    def torn(self) -> bool:
        """Whether the end of what can be read is not the end of what was compressed; to ask only there."""
        return self._damaged or self._member is not None or bool(self._packed)

    @property
    def taken(self) -> int:
        """How many compressed bytes were read."""
        return self._raw

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` decompressed bytes from `offset` on; fewer at the end."""
        if offset < self._base:
            self._begin()
        while self._base + len(self._held) < offset + size:
            self._forget(offset)
            more = self._more()
            if more is None:
                break
            self._held += more
        self._forget(offset)
        return bytes(self._held[:size]) if self._base == offset else b""

    def _begin(self) -> None:
        self._raw = 0  # how much of the file was taken
        self._packed = b""  # taken, and not decompressed yet
        self._member: Any = None
        self._member_began = 0
        self._damaged = False
        self._base = 0
        self._held = bytearray()

    def _forget(self, offset: int) -> None:
        drop = min(offset - self._base, len(self._held))
        if drop > 0:
            del self._held[:drop]
            self._base += drop

    def _more(self) -> bytes | None:
        """The next decompressed bytes, perhaps none; None at the end of what can be read now."""
        if self._damaged or not (self._begin_member() if self._member is None else self._fill(1)):
            return None
        packed, self._packed = self._packed, b""
        try:
            data: bytes = self._member.decompress(packed)
        except self._form.error:
            self._damaged = True
            return self._good_part(self._raw - len(packed), packed)
        if self._member.eof:
            self._packed, self._member = self._member.unused_data, None
        return data

    def _begin_member(self) -> bool:
        """Whether another member begins here. Some programs fill up with zeros; other things are damage."""
        while self._fill(len(self._form.magic)) and not self._packed.strip(b"\0"):
            self._packed = b""
        self._packed = self._packed.lstrip(b"\0")
        if len(self._packed) < len(self._form.magic):
            return False
        if not self._packed.startswith(self._form.magic):
            self._damaged = True
            return False
        self._member, self._member_began = self._form.make(), self._raw - len(self._packed)
        return True

    def _fill(self, least: int) -> bool:
        if len(self._packed) < least:
            self._file.seek(self._raw)
            data = self._file.read(self._form.step)
            self._raw += len(data)
            self._packed += data
        return bool(self._packed)

    def _good_part(self, begin: int, packed: bytes) -> bytes:
        """What the decompressor would have given before it came to the damage in `packed`."""
        member = self._form.make()
        for at in range(self._member_began, begin, self._form.step):
            self._file.seek(at)
            member.decompress(self._file.read(min(self._form.step, begin - at)))
        data = bytearray()
        try:
            for byte in packed:
                data += member.decompress(bytes((byte,)))
        except self._form.error:
            pass
        return bytes(data)
