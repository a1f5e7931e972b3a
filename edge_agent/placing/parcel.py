"""What one chunk of a source became: signals, counts, who was heard. One parcel is one batch of the link,
so that its signals, its counts and the source's position are accepted together or not at all.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from edge_agent.sight.visibility import WHOLE
from shared.errors import BadInput

MAX_PARCEL_BYTES: Final = 64 * 1024


class Heard(msgspec.Struct, array_like=True, gc=False):
    """Devices (pseudonyms) that the source could hear in one lesson, whether they did anything or not.

    `first` and `last` (seconds UTC) have an entry for each device; both are empty in what older programs
    sent, who did not say when.
    """

    class_code: str
    start: int
    day: str
    devices: list[int]
    first: list[int] = []
    last: list[int] = []

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """Each device with its first and last second; raises BadInput for what makes no span."""
        if not self.first and not self.last:
            return ((device, *WHOLE) for device in self.devices)
        if not len(self.devices) == len(self.first) == len(self.last):
            raise BadInput("heard_malformed", "a device without a span")
        if not all(0 <= one <= other <= WHOLE[1] for one, other in zip(self.first, self.last, strict=True)):
            raise BadInput("heard_malformed", "a span that ends before it begins")
        return zip(self.devices, self.first, self.last, strict=True)


class Idle(msgspec.Struct, array_like=True, gc=False):
    """How often apps were asked for while the school was asleep: no pseudonym, only numbers.

    `rests` (hours) is how long it slept; `counts` has, of each app's index (0: unlisted), how often it was
    asked for, and how many devices did so that were not told of before.
    """

    day: str
    rests: float
    counts: dict[int, tuple[int, int]]


class Met(msgspec.Struct, array_like=True, gc=False):
    """Contacts in lessons of one local day by what the catalogue says of them, each repeat counted.

    `names` are registered names that are unlisted, each asked for by ten devices or more on that day: how
    many contacts since it was told last, and how many devices until now.
    """

    day: str
    listed: int
    off_task: int
    unlisted: int
    background: int
    names: dict[str, tuple[int, int]]


class Parcel(msgspec.Struct, array_like=True):
    """`batches` are encoded SignalBatches, one a local day. `counts` is what -> reason -> number.

    `excerpts` are (reason, shape) of refused input; `seen` are 63-bit hashes of statement ids. `read_until`
    is said by collectors on other machines: the moment up to which the source has been read, in seconds
    UTC by the agent's own clock, for which they asked before they read. `present` are devices that are
    there without being heard: see Present.
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
    present: list[Heard] = []
    idle: list[Idle] = []
    met: list[Met] = []


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
