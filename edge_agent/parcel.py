"""What one chunk of a source became: signals, counts, who was heard. One parcel is one batch of the link,
so that its signals, its counts and the source's position are accepted together or not at all.
"""

from typing import Final

import msgspec

from shared.errors import BadInput

MAX_PARCEL_BYTES: Final = 64 * 1024


class Heard(msgspec.Struct, array_like=True, gc=False):
    """Devices (pseudonyms) that the source could hear in one lesson, whether they did anything or not."""

    class_code: str
    start: int
    day: str
    devices: list[int]


class Parcel(msgspec.Struct, array_like=True):
    """`batches` are encoded SignalBatches, one a local day. `counts` is what -> reason -> number.

    `excerpts` are (reason, shape) of refused input; `seen` are 63-bit hashes of statement ids. `read_until`
    is said by collectors on other machines: the moment up to which the source has been read, in seconds
    UTC by the agent's own clock, for which they asked before they read.
    """

    kind: str
    source: str
    batches: list[bytes]
    lines: int
    newest: int | None
    counts: dict[str, dict[str, int]]
    excerpts: list[tuple[str, str]]
    heard: list[Heard]
    seen: list[int]
    read_until: int | None = None


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Parcel)


def encode(parcel: Parcel) -> bytes:
    """The parcel as bytes for the link."""
    return _encoder.encode(parcel)


def decode(data: bytes) -> Parcel:
    """Bytes of the link as a parcel; raises BadInput. Its batches are still to be decoded and checked."""
    if len(data) > MAX_PARCEL_BYTES:
        raise BadInput("parcel_too_large", f"{len(data)} bytes")
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("parcel_malformed", type(error).__name__) from None
