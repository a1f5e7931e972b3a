"""Lines of somebody else's export as rows of the wanted columns: one line, one row, whatever it holds."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from shared.errors import BadInput
from shared.mapping import Layout, plain

MAX_LINE: Final = 8192  # bytes
MOST_COLUMNS: Final = 256
MAX_NAME: Final = 253  # of a host name in text form (RFC 1035, section 3.1)
MAX_USER: Final = 254  # characters of an e-mail address (RFC 5321)

_PIECE: Final = 1 << 16
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_HOST: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_SCHEME: Final = re.compile(r"(?:[a-z][a-z0-9+.-]{0,30}:)?//")
_IPV4: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_ADDRESS: Final = re.compile(r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*")
_json: Final = msgspec.json.Decoder(dict[str, object])


class Rows:
    """Reads one file's lines in their order; remembers its header line."""

    def __init__(self, layout: Layout, wanted: Sequence[str]) -> None:
        self._layout = layout
        self._wanted = [plain(name) for name in wanted]
        self._keys = [name.strip() for name in wanted]
        self._header: list[str] | None = None
        self._at = _places([plain(name) for name in layout.columns], self._wanted)

    def row(self, line: bytes) -> list[str] | None:
        """The wanted cells of a line without its newline; None for a header line.

        Raises BadInput: `utf_16`, `line_too_long`, `control_bytes`, `malformed_line`, `too_many_columns`,
        `wrong_columns` (not as many as the header has), `no_header` (none that has every wanted column yet).
        """
        text = text_of(line)
        return self._object(text) if self._layout.format == "json" else self._cells(text)

    def _cells(self, text: str) -> list[str] | None:
        cells = split(text, self._layout.delimiter)
        if self._header is None:
            names = [plain(cell) for cell in cells]
            found = _places(names, self._wanted)
            if found is not None:
                self._at, self._header = found, cells
                return None
        elif cells == self._header:
            return None
        if self._at is None:
            raise BadInput("no_header")
        if self._header is None:
            fits = len(cells) >= len(self._layout.columns)
        else:
            fits = len(cells) == len(self._header)
        if not fits:
            raise BadInput("wrong_columns")
        return [cells[i].strip() for i in self._at]

    def _object(self, text: str) -> list[str]:
        try:
            found = _json.decode(text)
            return [_cell(_value(found, key)) for key in self._keys]
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise BadInput("malformed_line") from None


def lines(readline: Callable[[int], bytes]) -> Iterator[bytes]:
    """Lines without their newline; of one that is too long only its beginning, so that memory is bounded."""
    while line := readline(MAX_LINE + 2):
        rest = line
        while not rest.endswith(b"\n") and (rest := readline(_PIECE)):
            pass
        yield line.removesuffix(b"\n")


def text_of(line: bytes) -> str:
    """A line as text: UTF-8, else Latin-1; raises BadInput: `line_too_long`, `utf_16`, `control_bytes`."""
    if len(line) > MAX_LINE:
        raise BadInput("line_too_long")
    line = line.removeprefix(_BOM).removesuffix(b"\r")
    if _CONTROL.search(line):
        if line.startswith(_UTF16) or line.count(b"\0") * 3 > len(line):
            raise BadInput("utf_16", "save the export as UTF-8")
        raise BadInput("control_bytes")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def split(text: str, delimiter: str = ",") -> list[str]:
    """A line's cells; raises BadInput. A line is a row: an open quote cannot swallow the rows after it."""
    try:
        cells = next(csv.reader((text,), delimiter=delimiter, skipinitialspace=True, strict=True), [])
    except csv.Error:
        raise BadInput("malformed_line") from None
    if len(cells) > MOST_COLUMNS:
        raise BadInput("too_many_columns")
    return cells


def host_of(text: str) -> str | None:
    """The host of an address of the web, or of a bare `host[:port]`, in lower case, and nothing else of it.

    None for whatever has no host name, such as an IP address.
    """
    text = text.strip().lower()
    scheme = _SCHEME.match(text)
    authority = re.split(r"[/?#\\]", text[scheme.end() :] if scheme else text, maxsplit=1)[0]
    if scheme:
        authority = authority.rpartition("@")[2]
    host, colon, port = authority.partition(":")
    if colon and not (port.isascii() and port.isdigit()):
        return None
    host = host.removesuffix(".")
    if len(host) > MAX_NAME or not _HOST.fullmatch(host) or _IPV4.fullmatch(host):
        return None
    return host


def is_address(text: str) -> bool:
    """Whether that may be an IP address; cheap, and safe for any text."""
    return len(text) <= 45 and _ADDRESS.fullmatch(text) is not None


def _places(names: Sequence[str], wanted: Sequence[str]) -> list[int] | None:
    return [names.index(name) for name in wanted] if set(wanted) <= set(names) else None


def _value(found: Mapping[str, object], key: str) -> object:
    """The value at `key`, or at a path of keys (`client.address`)."""
    if key in found:
        return found[key]
    value: object = found
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
            raise ValueError("control characters")
        return value.strip()
    if isinstance(value, int | float):
        return str(value)
    raise ValueError("neither text nor number")
