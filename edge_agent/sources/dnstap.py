"""dnstap, what Unbound and other resolvers tell of their queries without writing a log: who asked for what.

The messages are protobuf; only the few fields that are needed are read, and only the first question of a
client's query, never an answer.
"""

import struct
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Final

from edge_agent.sources.facts import Contact, Reading
from edge_agent.sources.framestream import payloads
from edge_agent.sources.logtime import END_OF_TIME, LogTime
from shared.errors import BadInput
from shared.exports import MAX_NAME

_MESSAGE, _KIND = 14, 15  # fields of a dnstap frame, and its one kind
_IS_MESSAGE: Final = 1
_TYPE, _ADDRESS, _SERVER, _SECONDS, _QUERY = 1, 4, 5, 8, 10  # fields of a message
_CLIENT_QUERY: Final = 5
_HEADER: Final = struct.Struct(">HHHHHH")
_NOT_A_QUERY: Final = 0xF800  # QR and opcode
_TYPES: Final = frozenset((1, 28, 64, 65))  # A, AAAA, SVCB, HTTPS
_INTERNET: Final = 1
_FIXED: Final = {1: 8, 5: 4}  # bytes by wire type
_ADDRESSES: Final = (4, 16)  # bytes
_NOT_IN_A_NAME: Final = bytes((*range(0x21), 0x7F))


def read_dnstap(chunk: bytes, times: LogTime) -> Reading:
    """Contacts of whole frames, data and control; `lines` counts data frames."""
    reading = Reading()
    newest, latest = -1, int(min(times.latest, END_OF_TIME))
    for payload in payloads(chunk):
        reading.lines += 1
        if isinstance(payload, str):
            reading.refuse(payload, b"")
            continue
        try:
            told = _contact(payload)
        except BadInput as refusal:
            reading.refuse(refusal.reason, b"")
            continue
        if isinstance(told, str):
            reading.pass_over(told)
            continue
        reading.facts.append(told)
        if newest < told.t <= latest:
            newest = told.t
    reading.newest = newest if newest >= 0 else None
    return reading


def _contact(payload: bytes) -> Contact | str:
    """The contact of one frame, or why it is none in words. Raises BadInput."""
    outer = _fields(payload)
    message = outer.get(_MESSAGE)
    if outer.get(_KIND) != _IS_MESSAGE or not isinstance(message, bytes):
        return "no_dns_message"
    inner = _fields(message)
    if inner.get(_TYPE) != _CLIENT_QUERY:
        return "not_a_client_query"
    query, address, t = inner.get(_QUERY), inner.get(_ADDRESS), inner.get(_SECONDS)
    if not isinstance(query, bytes) or not isinstance(address, bytes):
        raise BadInput("incomplete_message")
    if not isinstance(t, int) or t >= END_OF_TIME:
        raise BadInput("unreadable_time")
    name, kind = question(query)
    if kind not in _TYPES:
        return "query_type"
    if not name:
        return "no_name"
    server = inner.get(_SERVER)
    asked = _address(server) if isinstance(server, bytes) and len(server) in _ADDRESSES else ""
    return Contact(t, _address(address), name, asked)


def question(query: bytes) -> tuple[str, int]:
    """Name and type of the first question of a DNS query; type 0 for another class. Raises BadInput.

    RFC 1035, 4.1. Before the first question there is no name that a pointer could lead to: none is followed.
    """
    if len(query) < _HEADER.size:
        raise BadInput("malformed_query")
    _, flags, questions, _, _, _ = _HEADER.unpack_from(query)
    if flags & _NOT_A_QUERY or questions == 0:
        raise BadInput("malformed_query")
    labels, at = [], _HEADER.size
    while at < len(query) and (size := query[at]):
        at += 1
        if size > 63 or at - _HEADER.size + size > MAX_NAME + 1 or at + size > len(query):
            raise BadInput("malformed_name")
        labels.append(query[at : at + size])
        at += size
    if len(query) - at < 5:
        raise BadInput("malformed_query")
    name = b".".join(labels)
    if name.count(b".") >= max(1, len(labels)) or len(name.translate(None, _NOT_IN_A_NAME)) != len(name):
        # A dot or a line's end inside a label would make the name read like another one.
        raise BadInput("forged_name")
    kind, of_class = struct.unpack_from(">HH", query, at + 1)
    return name.decode("latin-1"), kind if of_class == _INTERNET else 0


@lru_cache(maxsize=4096)
def _address(packed: bytes) -> str:
    if len(packed) == 4:
        return inet_ntop(AF_INET, packed)
    if len(packed) != 16:
        raise BadInput("malformed_address")
    if packed[:12] == b"\0" * 10 + b"\xff\xff":
        return inet_ntop(AF_INET, packed[12:])
    return inet_ntop(AF_INET6, packed)


def _fields(data: bytes) -> dict[int, int | bytes]:
    """Protobuf's wire format, one level: the last value of each field. Raises BadInput."""
    found: dict[int, int | bytes] = {}
    at, end = 0, len(data)
    try:
        while at < end:
            tag, at = (data[at], at + 1) if data[at] < 0x80 else _varint(data, at)
            wire = tag & 7
            if wire == 2:
                size, at = (data[at], at + 1) if data[at] < 0x80 else _varint(data, at)
            elif wire == 0:
                found[tag >> 3], at = (data[at], at + 1) if data[at] < 0x80 else _varint(data, at)
                continue
            else:
                size = _FIXED.get(wire, end)
            if size > end - at:
                raise BadInput("malformed_frame")
            found[tag >> 3] = data[at : at + size]
            at += size
    except IndexError:
        raise BadInput("malformed_frame") from None
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of at most ten bytes, and where it ends. Raises BadInput and IndexError."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise BadInput("malformed_frame")
