"""One entry of a school's disclosure log, as both ends compute its hash and as it travels with its record.

The entry goes beside the record as the link's position, so that the receiver holds what the log says of it.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from shared.errors import BadInput

GENESIS: Final = "0" * 64
REFUSED: Final = "not_as_disclosed"

_Hash = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
_Number = Annotated[int, msgspec.Meta(ge=1, le=2**53)]


@dataclass(slots=True)
class Entry:
    """What the log says of one record: hashes in hexadecimal, `at` in RFC 3339, `size` in bytes.

    `chain` is the hash of this entry and of the one `before` it. `about` names what the record tells of, see
    `hub.store.receipts`; `accepted` is whether the hub took it. Neither is part of the log.
    """

    seq: int
    before: str
    chain: str
    kind: str
    number: int
    size: int
    sha256: str
    at: str = ""
    about: str = ""
    accepted: bool = True


class Place(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An entry as it travels: what its record's bytes do not tell; later versions may only append fields."""

    seq: _Number
    before: _Hash
    at: Annotated[str, msgspec.Meta(pattern=r"^[0-9T:+Z.-]{20,40}\Z")]
    kind: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,32}\Z")]
    number: _Number
    chain: _Hash


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Place)


def digest(payload: bytes) -> str:
    """A record's hash."""
    return hashlib.sha256(payload).hexdigest()


def link(before: str, seq: int, at: str, kind: str, number: int, size: int, sha256: str) -> str:
    """The hash of an entry that follows `before`: SHA-256 of its values as text, a line each."""
    text = "\n".join((before, str(seq), at, kind, str(number), str(size), sha256))
    return hashlib.sha256(text.encode()).hexdigest()


def follows(
    before: str, seq: int, at: str, kind: str, number: int, size: int, sha256: str, chain: str
) -> bool:
    """Whether an entry with these values has this hash; one with a value of another type never has."""
    texts = (before, at, kind, sha256, chain)
    numbers = (seq, number, size)
    if not all(isinstance(one, str) for one in texts) or not all(isinstance(one, int) for one in numbers):
        return False
    return link(before, seq, at, kind, number, size, sha256) == chain


def pack(entry: Entry) -> bytes:
    """The entry as the position of its record's batch."""
    before, chain = bytes.fromhex(entry.before), bytes.fromhex(entry.chain)
    return _encoder.encode(Place(entry.seq, before, entry.at, entry.kind, entry.number, chain))


def unpack(position: bytes) -> Place:
    """What `pack` gave, of this version or a later one; raises BadInput."""
    try:
        return _decoder.decode(position)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadInput(REFUSED, "no entry of a disclosure log") from None


def of_record(position: bytes, payload: bytes) -> Entry:
    """The entry that came with a record; raises BadInput when it is not the log's entry of these bytes."""
    place = unpack(position)
    before, sha256, size = place.before.hex(), digest(payload), len(payload)
    chain = link(before, place.seq, place.at, place.kind, place.number, size, sha256)
    if chain != place.chain.hex():
        raise BadInput(REFUSED, "the record is not the one that its entry tells of")
    return Entry(place.seq, before, chain, place.kind, place.number, size, sha256, place.at)
