"""The link's frames: typed, single-part msgpack; whatever does not decode is BadInput, never a crash."""

from typing import Annotated, Final

import msgspec

from shared.errors import BadInput

VERSION: Final = 1  # the newest major version that is spoken here; `versions` says what two sides agree on
MINOR: Final = 1  # 0: batches; 1: asking and telling, keys that are renewed
WINDOW: Final = 32  # most batches unacknowledged at once: with the largest payloads 2 MiB
MAX_PAYLOAD: Final = 64 * 1024
MAX_POSITION: Final = 1024
MAX_FRAME: Final = MAX_PAYLOAD + 4096  # the payload and its envelope
MAX_NUMBER: Final = 2**53  # the largest epoch or sequence number
PART: Final = 60 * 1024  # of an answer too long for one frame
MAX_PARTS: Final = 256  # an answer is at most 15 MiB

Number = Annotated[int, msgspec.Meta(ge=0, le=MAX_NUMBER)]
Stream = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}\Z")]
Reason = Annotated[str, msgspec.Meta(max_length=200)]
Position = Annotated[bytes, msgspec.Meta(max_length=MAX_POSITION)]
Payload = Annotated[bytes, msgspec.Meta(max_length=MAX_PAYLOAD)]
Version = Annotated[int, msgspec.Meta(ge=0, le=2**31)]
Key = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z.:+=^!/*?&<>()\[\]{}@%$#-]{40}\Z")]  # z85
KeyOrNone = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Za-z.:+=^!/*?&<>()\[\]{}@%$#-]{40})?\Z")]
What = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,63}\Z")]


class _Frame(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A frame is an array: its tag, then its fields in order; later versions may only append fields."""


class Hello(_Frame, frozen=True, tag=1):
    """Sender: I am about to send (or go on sending) this epoch of this stream; WELCOME repeats `nonce`.

    `v` is the major version offered, `minor` the newest of it that the sender speaks.
    """

    v: int
    stream: Stream
    epoch: Number
    nonce: Number
    minor: Version = 0


class Batch(_Frame, frozen=True, tag=2):
    """Sender: one batch; an empty payload was withdrawn and has no effect but its place in line.

    `position` is where the source stood after this batch; None leaves the remembered one.
    """

    epoch: Number
    seq: Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMBER)]
    payload: Payload
    position: Position | None = None


class Join(_Frame, frozen=True, tag=3):
    """A key that is not enrolled yet: here is the secret of my invitation."""

    secret: Annotated[bytes, msgspec.Meta(min_length=16, max_length=64)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Renew(_Frame, frozen=True, tag=4):
    """Sender, from minor 1: the enrolment of the key that I speak with may also speak with this one."""

    public: Key


class Ask(_Frame, frozen=True, tag=5):
    """Sender, from minor 1: tell me this part, from 0, of what you have for me under this name."""

    what: What
    part: Annotated[int, msgspec.Meta(ge=0, lt=MAX_PARTS)]


class Rejection(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One batch that was refused for good, and why."""

    seq: Number
    reason: Reason


class Welcome(_Frame, frozen=True, tag=17):
    """Receiver: of this epoch I have everything up to `last_seq`; the source was read up to `position`.

    `rejected` repeats the newest refusals, whose REJECT may have been lost with a connection. `minor` is the
    newest that the receiver speaks, `next_key` the public key that it will have next, or "".
    """

    v: int
    epoch: Number
    nonce: Number
    last_seq: Number
    position: Position | None
    max_batch: Annotated[int, msgspec.Meta(ge=1)]
    window: Annotated[int, msgspec.Meta(ge=1)]
    rejected: Annotated[tuple[Rejection, ...], msgspec.Meta(max_length=64)] = ()
    minor: Version = 0
    next_key: KeyOrNone = ""


class Refused(_Frame, frozen=True, tag=18):
    """Receiver: nothing from you. With `old_epoch`, `epoch` is the one in force.

    With `version`, `v` and `minor` are the newest that the receiver speaks; before minor 1 it named none.
    """

    reason: Reason
    epoch: Number = 0
    v: Version = 0
    minor: Version = 0


class Ack(_Frame, frozen=True, tag=19):
    """Receiver: everything up to `seq` is on my disk."""

    epoch: Number
    seq: Number


class Reject(_Frame, frozen=True, tag=20):
    """Receiver: everything up to `seq` is settled, but `seq` itself had no effect and never will."""

    epoch: Number
    seq: Number
    reason: Reason


class Busy(_Frame, frozen=True, tag=21):
    """Receiver: I did not take it; go on after this time."""

    retry_after_ms: Annotated[int, msgspec.Meta(ge=0, le=3_600_000)]


class Expect(_Frame, frozen=True, tag=22):
    """Receiver: something before this is missing; go back to `next_seq`."""

    epoch: Number
    next_seq: Number


class Joined(_Frame, frozen=True, tag=23):
    """Receiver: your key is enrolled."""


class Renewed(_Frame, frozen=True, tag=24):
    """Receiver, from minor 1: that key is on my disk; with a `reason` it is not, and never will be."""

    public: Key
    reason: Reason = ""


class Told(_Frame, frozen=True, tag=25):
    """Receiver, from minor 1: this part of `parts`; 0 when there is nothing of that name for the asker.

    `version` is the same in every part of one answer: the BLAKE2b digest of the whole, 16 bytes.
    """

    what: What
    version: Annotated[bytes, msgspec.Meta(max_length=32)]
    part: Annotated[int, msgspec.Meta(ge=0, lt=MAX_PARTS)]
    parts: Annotated[int, msgspec.Meta(ge=0, le=MAX_PARTS)]
    data: Annotated[bytes, msgspec.Meta(max_length=PART)]


ToReceiver = Hello | Batch | Join | Renew | Ask
ToSender = Welcome | Refused | Ack | Reject | Busy | Expect | Joined | Renewed | Told

# Text that is no UTF-8 comes out of msgspec as a plain UnicodeDecodeError.
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_encoder = msgspec.msgpack.Encoder()
_to_receiver: msgspec.msgpack.Decoder[ToReceiver] = msgspec.msgpack.Decoder(ToReceiver)
_to_sender: msgspec.msgpack.Decoder[ToSender] = msgspec.msgpack.Decoder(ToSender)


def encode(frame: ToReceiver | ToSender) -> bytes:
    """The frame's one part."""
    return _encoder.encode(frame)


def decode_to_receiver(data: bytes | memoryview) -> ToReceiver:
    """What a sender said; raises BadInput."""
    _check_size(data)
    try:
        return _to_receiver.decode(data)
    except _UNREADABLE as error:
        raise BadInput("bad_frame", type(error).__name__) from None


def decode_to_sender(data: bytes | memoryview) -> ToSender:
    """What a receiver said; raises BadInput."""
    _check_size(data)
    try:
        return _to_sender.decode(data)
    except _UNREADABLE as error:
        raise BadInput("bad_frame", type(error).__name__) from None


def _check_size(data: bytes | memoryview) -> None:
    if len(data) > MAX_FRAME:
        raise BadInput("frame_too_large", f"{len(data)} bytes, at most {MAX_FRAME}")
