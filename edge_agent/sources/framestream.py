"""Frame Streams, the protocol in which resolvers send dnstap: a handshake, then frames with their length.

Both ways of it: the sender just starts (a file, a pipe), or asks first and is answered (a socket).
"""

import struct
from collections.abc import Callable, Iterator
from typing import Final

from edge_agent.sources.framing import Fed
from shared.errors import BadInput

DNSTAP: Final = b"protobuf:dnstap.Dnstap"
MAX_FRAME: Final = 160 * 1024  # a DNS message and its answer, both of the largest kind
MAX_SKIPPED: Final = 16 * 1024 * 1024
MAX_CONTROL: Final = 512
CHUNK: Final = 48 * 1024

_ACCEPT, _START, _STOP, _READY, _FINISH = 1, 2, 3, 4, 5
_CONTENT_TYPE: Final = 1
_U32: Final = struct.Struct(">I")


def framed(payload: bytes) -> bytes:
    """One data frame."""
    return _U32.pack(len(payload)) + payload


def control(kind: int, content: bytes = b"") -> bytes:
    """One control frame, with a content type if it names one."""
    body = _U32.pack(kind)
    if content:
        body += _U32.pack(_CONTENT_TYPE) + _U32.pack(len(content)) + content
    return _U32.pack(0) + _U32.pack(len(body)) + body


class FrameStream:
    """One connection's frames; each record is a data frame with its length. Raises BadInput out of turn."""

    def __init__(self, content: bytes = DNSTAP) -> None:
        self._content = content
        self._held = bytearray()
        self._skip = 0
        self._started = False
        self._asked = False  # the sender waits for answers

    @property
    def unfinished(self) -> bool:
        """See Framing."""
        return bool(self._held or self._skip)

    def feed(self, data: bytes, now: float) -> Fed:
        """See Framing; after `ended` nothing more is read."""
        fed = Fed()
        held = self._held
        held += data
        at = min(self._skip, len(held))
        self._skip -= at
        while not fed.ended and len(held) - at >= 4:
            length = _number(held, at)
            after = self._control(at, fed) if length == 0 else self._data(at, length, fed)
            if after is None:
                break
            at = after
        del held[:at]
        return fed

    def _data(self, at: int, length: int, fed: Fed) -> int | None:
        if not self._started:
            raise BadInput("frame_before_start")
        if length > MAX_SKIPPED:
            raise BadInput("frame_too_long", f"{length} bytes")
        end = at + 4 + length
        if length > MAX_FRAME:
            fed.refused["frame_too_long"] += 1
            self._skip = max(0, end - len(self._held))
            return min(end, len(self._held))
        if len(self._held) < end:
            return None
        fed.records.append(bytes(self._held[at:end]))
        return end

    def _control(self, at: int, fed: Fed) -> int | None:
        if len(self._held) - at < 8:
            return None
        length = _number(self._held, at + 4)
        if not 4 <= length <= MAX_CONTROL:
            raise BadInput("control_frame_size", f"{length} bytes")
        end = at + 8 + length
        if len(self._held) < end:
            return None
        kind, offered = _read_control(bytes(self._held[at + 8 : end]))
        self._turn(kind, offered, fed)
        return end

    def _turn(self, kind: int, offered: list[bytes], fed: Fed) -> None:
        if kind in (_READY, _START) and not self._started:
            # Who names no content type leaves it to the other side.
            if offered and self._content not in offered:
                raise BadInput("other_content_type")
            if kind == _START:
                self._started = True
                return
            if not self._asked:
                self._asked = True
                fed.reply += control(_ACCEPT, self._content)
                return
        elif kind == _STOP and self._started:
            fed.reply += control(_FINISH) if self._asked else b""
            fed.ended = True
            return
        raise BadInput("control_frame_out_of_turn", f"type {kind}")


def payloads(chunk: bytes) -> Iterator[bytes | str]:
    """What the data frames of a chunk hold, one by one; a reason in words instead where one is broken."""
    at, end = 0, len(chunk)
    while at < end:
        if end - at < 4:
            yield "cut_off"
            return
        length = _number(chunk, at)
        at += 4
        if length == 0:
            after = _after_control(chunk, at)
            if after is None:
                yield "control_frame_size"
                return
            at = after
        elif length > MAX_FRAME:
            yield "frame_too_long"
            at += length
        elif length > end - at:
            yield "cut_off"
            return
        else:
            yield chunk[at : at + length]
            at += length


def whole_frames(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """A file of frames, read by `read`, in chunks of whole ones: 48 KiB at most, or one frame.

    Of a frame that is too long only its length comes; one that the file breaks off in comes as it is.
    """
    held = bytearray()
    while data := read(CHUNK):
        held += data
        at = start = 0
        while (after := _after(held, at)) is not None:
            if after > len(held):
                yield bytes(held[start : at + 4])
                _pass(read, after - len(held))
                at = start = len(held)
                break
            if after - start > CHUNK and at > start:
                yield bytes(held[start:at])
                start = at
            at = after
        if at > start:
            yield bytes(held[start:at])
        del held[:at]
    if held:
        yield bytes(held)


def _after(held: bytearray, at: int) -> int | None:
    """Where the frame at `at` ends: beyond `held` only if it is too long; None until that is known."""
    if len(held) - at < 4:
        return None
    length = _number(held, at)
    end = at + 4 + length
    if length == 0:
        if len(held) - at < 8:
            return None
        size = _number(held, at + 4)
        # Where the next frame begins cannot be known after one that is no control frame.
        end = at + 8 + size if 4 <= size <= MAX_CONTROL else len(held)
    return end if end <= len(held) or length > MAX_FRAME else None


def _pass(read: Callable[[int], bytes], number: int) -> None:
    while number > 0 and (data := read(min(number, CHUNK))):
        number -= len(data)


def _after_control(chunk: bytes, at: int) -> int | None:
    if len(chunk) - at < 4:
        return None
    size = _number(chunk, at)
    return at + 4 + size if 4 <= size <= min(MAX_CONTROL, len(chunk) - at - 4) else None


def _read_control(body: bytes) -> tuple[int, list[bytes]]:
    """Type and content types of a control frame."""
    kind, offered, at = _number(body, 0), [], 4
    while at < len(body):
        if len(body) - at < 8:
            raise BadInput("control_frame_malformed")
        field, size = _number(body, at), _number(body, at + 4)
        at += 8
        if field != _CONTENT_TYPE or size > min(256, len(body) - at):
            raise BadInput("control_frame_malformed")
        offered.append(body[at : at + size])
        at += size
    return kind, offered


def _number(data: bytes | bytearray, at: int) -> int:
    (number,) = _U32.unpack_from(data, at)
    return int(number)
