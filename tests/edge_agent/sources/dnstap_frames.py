"""dnstap messages as a resolver writes them, field by field."""

import socket
import struct

from edge_agent.sources.framestream import framed

CLIENT_QUERY, CLIENT_RESPONSE, RESOLVER_QUERY = 5, 6, 3


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(found) + bytes([value])


def number(field: int, value: int) -> bytes:
    """A field of wire type 0."""
    return varint(field << 3) + varint(value)


def data(field: int, value: bytes) -> bytes:
    """A field of wire type 2."""
    return varint(field << 3 | 2) + varint(len(value)) + value


def query(name: str, kind: int = 1, of_class: int = 1) -> bytes:
    """A DNS query."""
    labels = b"".join(bytes([len(label)]) + label.encode("latin-1") for label in name.split(".") if label)
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, of_class)


def message(
    t: int, address: str, dns: bytes, *, kind: int = CLIENT_QUERY, identity: bytes = b"closet"
) -> bytes:
    """One Dnstap message of type MESSAGE."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    inner = number(1, kind) + number(2, 2 if ":" in address else 1) + number(3, 1)
    inner += data(4, socket.inet_pton(family, address)) + number(6, 40_000) + number(8, t)
    inner += varint(9 << 3 | 5) + struct.pack("<I", 123_456) + data(10, dns)
    return data(1, identity) + data(2, b"resolver 1.0") + data(14, inner) + number(15, 1)


def frame(t: int, address: str, name: str) -> bytes:
    """A client's query as a data frame."""
    return framed(message(t, address, query(name)))
