"""Zeek: names asked for (dns) or spoken to (ssl, quic, http), and who had traffic (conn); TSV and JSON.

Which log a file is follows from its `#path` line, and in JSON from each line's own fields.
"""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from types import MappingProxyType
from typing import Final

import msgspec

from edge_agent.sources.facts import Contact, Present, Reading
from edge_agent.sources.linewise import read_lines
from edge_agent.sources.logtime import END_OF_TIME, LogTime
from shared.errors import BadInput
from shared.exports import MAX_LINE, MAX_NAME, is_address

MOST_FIELDS: Final = 256
MOST_SECONDS: Final = 86_400.0  # of one connection; what says more says no more of a lesson

_USE: Final = frozenset(("A", "AAAA", "HTTPS", "SVCB", "query-64", "query-65"))
_UNANSWERED: Final = frozenset(("S0", "REJ", "SH", "RSTOS0"))
# Where a machine speaks to nobody in particular: broadcast, multicast, link-local.
_NOBODY: Final = re.compile(
    r"255\.255\.255\.255|(?:22[4-9]|23[0-9])\.|169\.254\.|[fF][fF]|[fF][eE]80:|0\.0\.0\.0$|::$"
)
_ESCAPED: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|\\)")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NAME_CONTROL: Final = re.compile(r"[\x00-\x20\x7f]")
_EPOCH: Final = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?")
_IPV4: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_HEADERS: Final = frozenset(
    ("#set_separator", "#empty_field", "#unset_field", "#path", "#open", "#close", "#fields", "#types")
)


class Entry(msgspec.Struct, gc=False):
    """What is read of a line, of whichever log: text as written; "" or None for what is unset."""

    ts: str | float | None = None
    host: str | None = msgspec.field(default=None, name="id.orig_h")
    to: str | None = msgspec.field(default=None, name="id.resp_h")
    query: str | None = None
    qtype: str | None = msgspec.field(default=None, name="qtype_name")
    server_name: str | None = None
    http_host: str | None = msgspec.field(default=None, name="host")
    duration: str | float | None = None
    conn_state: str | None = None
    local_orig: str | bool | None = None


class _JsonEntry(Entry, gc=False):
    """Fields that tell which log a JSON line is of, beside those that are read."""

    path: str | None = msgspec.field(default=None, name="_path")
    trans_id: object = None
    cipher: object = None
    established: object = None
    method: object = None
    uri: object = None


_FIELDS: Final = MappingProxyType({field.encode_name: field.name for field in msgspec.structs.fields(Entry)})
_json: Final = msgspec.json.Decoder(_JsonEntry)


class ZeekReader:
    """Reads one log: remembers its header lines, which are not counted."""

    def __init__(self) -> None:
        self._separator = "\t"
        self._unset = "-"
        self._empty = "(empty)"
        self._path = ""
        self._width = 0
        self._places: list[tuple[str, int]] = []

    def __call__(self, chunk: bytes, times: LogTime, /) -> Reading:
        """See Read."""
        return read_lines(chunk, times, self._read)

    def _read(self, line: bytes, times: LogTime) -> Contact | Present | str | None:
        """A line's fact, why it is passed over, or None for a header line; raises BadInput."""
        if len(line) > MAX_LINE:
            raise BadInput("line_too_long")
        if line.startswith(b"{"):
            entry = _decoded(line)
            return _fact(_log_of(entry), entry, times)
        if _CONTROL.search(line):
            raise BadInput("control_bytes")
        text = line.decode("latin-1")
        if text.startswith("#"):
            self._learn(text)
            return None
        if not self._width:
            raise BadInput("no_header")
        cells = text.split(self._separator)
        if len(cells) != self._width:
            raise BadInput("wrong_columns")
        if self._path not in _LOGS:
            return "other_log"
        return _fact(self._path, Entry(**{name: self._text(cells[i]) for name, i in self._places}), times)

    def _learn(self, line: str) -> None:
        """Take a header line; raises BadInput for one that Zeek does not write."""
        if line.startswith("#separator "):
            separator = _unescaped(line[11:])
            if not 1 <= len(separator) <= 8 or _CONTROL.search(separator.encode("latin-1")):
                raise BadInput("malformed_line")
            self._separator = separator
            self._width, self._places, self._path = 0, [], ""
            return
        key, *values = line.split(self._separator)
        if key not in _HEADERS or not values:
            raise BadInput("malformed_line")
        if key == "#unset_field":
            self._unset = values[0]
        elif key == "#empty_field":
            self._empty = values[0]
        elif key == "#path":
            self._path = values[0]
        elif key == "#fields":
            if len(values) > MOST_FIELDS:
                raise BadInput("too_many_columns")
            self._width = len(values)
            self._places = [(own, values.index(name)) for name, own in _FIELDS.items() if name in values]

    def _text(self, cell: str) -> str:
        if cell in (self._unset, self._empty):
            return ""
        return _unescaped(cell) if "\\" in cell else cell


def _unescaped(cell: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", cell)


def _decoded(line: bytes) -> _JsonEntry:
    try:
        return _json.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise BadInput("malformed_line") from None


def _log_of(entry: _JsonEntry) -> str:
    if entry.path is not None:
        return entry.path
    if entry.host is None:
        return ""
    if entry.conn_state is not None:
        return "conn"
    if entry.trans_id is not None or entry.qtype is not None:
        return "dns"
    if entry.method is not None or entry.uri is not None:
        return "http"
    if entry.server_name is not None or entry.cipher is not None or entry.established is not None:
        return "ssl"
    return ""


def _fact(log: str, entry: Entry, times: LogTime) -> Contact | Present | str:
    make = _LOGS.get(log)
    if make is None:
        return "other_log"
    t = _seconds(entry.ts, times)
    if t is None:
        raise BadInput("unreadable_time")
    if entry.host is None or not is_address(entry.host):
        raise BadInput("bad_address")
    return make(t, entry.host, entry)


def _seconds(ts: str | float | None, times: LogTime) -> int | None:
    if isinstance(ts, str):
        if not _EPOCH.fullmatch(ts):
            return times.seconds(ts[:40].encode("utf-8", "replace")) if "T" in ts else None
        ts = float(ts)
    return int(ts) if ts is not None and 0 <= ts < END_OF_TIME else None


def _asked(t: int, address: str, entry: Entry) -> Contact | str:
    if entry.qtype and entry.qtype not in _USE:
        return "query_type"
    return _contact(t, address, entry.query)


def _spoke(t: int, address: str, entry: Entry) -> Contact | str:
    return _contact(t, address, entry.server_name)


def _loaded(t: int, address: str, entry: Entry) -> Contact | str:
    host = (entry.http_host or "").partition(":")[0]
    return (
        "no_name" if _IPV4.fullmatch(host) or "[" in (entry.http_host or "") else _contact(t, address, host)
    )


def _contact(t: int, address: str, name: str | None) -> Contact | str:
    if not name:
        return "no_name"
    if len(name) > MAX_NAME + 1 or _NAME_CONTROL.search(name):
        raise BadInput("bad_name")
    return Contact(t, address, name)


def _connected(t: int, address: str, entry: Entry) -> Present | str:
    if entry.local_orig in ("F", False):
        return "from_outside"
    if entry.conn_state in _UNANSWERED:
        return "unanswered"
    if entry.to is not None and _NOBODY.match(entry.to):
        return "to_nobody"
    try:
        seconds = float(entry.duration or 0)
    except ValueError:
        raise BadInput("bad_number") from None
    if not isfinite(seconds) or seconds < 0:
        raise BadInput("bad_number")
    return Present(t, address, min(seconds, MOST_SECONDS))


_LOGS: Final[Mapping[str, Callable[[int, str, Entry], Contact | Present | str]]] = MappingProxyType(
    {"dns": _asked, "ssl": _spoke, "quic": _spoke, "http": _loaded, "conn": _connected}
)
