"""Tables that somebody saved, as text: UTF-8, Windows-1252, or what Excel calls Unicode text."""

import re
from pathlib import Path
from types import MappingProxyType
from typing import Final

from shared.errors import SettingsError

MAX_MIB: Final = 64

_UTF_16: Final = MappingProxyType({b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"})
_ZIP: Final = b"PK\x03\x04"
_UNREADABLE: Final = "\N{REPLACEMENT CHARACTER}"
_BAD_BYTE: Final = "\udcff"  # what `surrogateescape` makes of a byte that is no UTF-8
_SIGN: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# What Windows-1252 texts hold beyond ASCII: letters, dashes, quotes; not signs that no name is written with.
_WINDOWS: Final = frozenset(bytes(range(0xC0, 0xFF)) + bytes.fromhex("8a8c8e9a9c9e9f91929394969785a0b4aaba"))


def read_bytes(path: Path) -> bytes:
    """The whole file; raises SettingsError if it is missing, too large or not readable."""
    try:
        if path.stat().st_size > MAX_MIB * 1024 * 1024:
            raise too_large(path)
        return path.read_bytes()
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing: export it, or correct its path in agent.toml") from None
    except OSError as error:
        raise SettingsError(unreadable(path, error)) from None


def unreadable(path: Path, error: OSError) -> str:
    """What to say of a file that is there and cannot be read."""
    remedy = "; let the agent's user read it, and nobody else" if isinstance(error, PermissionError) else ""
    return f"{path} cannot be read: {error.strerror}{remedy}"


def too_large(path: Path) -> SettingsError:
    """What to say of a file beyond MAX_MIB."""
    return SettingsError(f"{path} is larger than {MAX_MIB} MiB: export only this school")


def text_of(path: Path, data: bytes) -> str:
    """A file's text, its lines ended by newlines, without Excel's `sep=`; each bad byte is a lone surrogate.

    Raises SettingsError if it is no text.
    """
    text = _decoded(path, data).replace("\r\n", "\n").replace("\r", "\n")
    first, newline, rest = text.partition("\n")
    return rest if newline and first.strip().lower().startswith("sep=") else text


def _decoded(path: Path, data: bytes) -> str:
    encoding = _UTF_16.get(data[:2])
    if encoding is None and b"\0" in data[:2]:
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    if encoding is not None:
        text = data.decode(encoding, "replace").removeprefix("\ufeff")
        return text.replace(_UNREADABLE, _BAD_BYTE)
    if data.startswith(_ZIP):
        raise SettingsError(f"{path} is an Excel workbook or a zip: save it as CSV, and name that")
    if b"\0" in data:
        raise SettingsError(f"{path} is not UTF-8: export it again as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    if not _SIGN.search(data) and all(byte < 0x80 or byte in _WINDOWS for byte in set(data)):
        return data.decode("cp1252")
    return data.decode("utf-8-sig", "surrogateescape")
