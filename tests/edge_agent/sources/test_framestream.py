"""Frame Streams: both handshakes, every limit, and nothing that a peer sends breaks the receiver."""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.framestream import (
    CHUNK,
    DNSTAP,
    MAX_FRAME,
    MAX_SKIPPED,
    FrameStream,
    control,
    framed,
    payloads,
    whole_frames,
)
from shared.errors import BadInput

ACCEPT, START, STOP, READY, FINISH = 1, 2, 3, 4, 5
BEGIN = control(START, DNSTAP)


def fed(data: bytes, size: int = 10**9) -> tuple[list[bytes], bytes, bool]:
    """Records, reply and end of a new stream to which `data` comes in pieces."""
    stream, reply, ended = FrameStream(), b"", False
    records: list[bytes] = []
    for at in range(0, len(data), size):
        one = stream.feed(data[at : at + size], 0.0)
        records, reply, ended = records + one.records, reply + one.reply, ended or one.ended
    return records, reply, ended


@pytest.mark.parametrize("size", [1, 3, 7, 10**9])
def test_a_sender_that_asks_is_answered_and_one_that_does_not_is_read_too(size: int) -> None:
    frames = framed(b"one") + framed(b"two") + control(STOP)
    records = [framed(b"one"), framed(b"two")]
    asked = control(ACCEPT, DNSTAP), control(FINISH)
    assert fed(control(READY, DNSTAP) + BEGIN + frames, size) == (records, b"".join(asked), True)
    assert fed(BEGIN + frames, size) == (records, b"", True)
    assert fed(control(START) + frames, size) == (records, b"", True)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (framed(b"too early"), "frame_before_start"),
        (b"GET / HTTP/1.1\r\n\r\n", "frame_before_start"),
        (control(READY, b"protobuf:other"), "other_content_type"),
        (control(START, b"protobuf:other"), "other_content_type"),
        (control(STOP), "control_frame_out_of_turn"),
        (control(READY, DNSTAP) * 2, "control_frame_out_of_turn"),
        (BEGIN * 2, "control_frame_out_of_turn"),
        (BEGIN + control(77), "control_frame_out_of_turn"),
        (struct.pack(">II", 0, 513), "control_frame_size"),
        (struct.pack(">III", 0, 3, 0), "control_frame_size"),
        (struct.pack(">IIIII", 0, 12, START, 1, 9), "control_frame_malformed"),
        (BEGIN + struct.pack(">I", MAX_SKIPPED + 1), "frame_too_long"),
    ],
)
def test_what_is_out_of_turn_or_of_another_protocol_ends_the_connection(data: bytes, reason: str) -> None:
    with pytest.raises(BadInput) as refusal:
        fed(data)
    assert refusal.value.reason == reason


def test_a_frame_that_is_too_long_is_passed_over_and_the_next_one_read() -> None:
    stream = FrameStream()
    data = BEGIN + struct.pack(">I", MAX_FRAME + 1) + b"x" * (MAX_FRAME + 1) + framed(b"next")
    records: list[bytes] = []
    refused = 0
    for at in range(0, len(data), 1000):
        one = stream.feed(data[at : at + 1000], 0.0)
        records, refused = records + one.records, refused + one.refused["frame_too_long"]
        assert len(stream._held) <= 1000, "nothing of it is held"
    assert (records, refused) == ([framed(b"next")], 1)


def test_a_file_of_frames_is_read_in_whole_ones() -> None:
    bodies = [bytes([i % 251]) * (i % 700 + 1) for i in range(2000)]
    file = BEGIN + b"".join(map(framed, bodies)) + control(STOP)
    chunks = list(whole_frames(io.BytesIO(file).read))
    assert b"".join(chunks) == file
    assert max(map(len, chunks)) <= CHUNK
    assert [found for chunk in chunks for found in payloads(chunk)] == bodies


def test_a_file_that_breaks_off_and_a_frame_too_long_cost_one_refusal_each() -> None:
    long = struct.pack(">I", 1_000_000) + b"x" * 1_000_000
    file = BEGIN + framed(b"one") + long + framed(b"two") + framed(b"three")[:-2]
    found = [item for chunk in whole_frames(io.BytesIO(file).read) for item in payloads(chunk)]
    assert found == [b"one", "frame_too_long", b"two", "cut_off"]


FRAMES = st.lists(
    st.binary(max_size=30).map(framed)
    | st.sampled_from([BEGIN, control(READY, DNSTAP), control(STOP), control(START)])
    | st.binary(max_size=12)
    | st.integers(0, 2**32 - 1).map(struct.Struct(">I").pack),
    max_size=20,
).map(b"".join)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(FRAMES, st.integers(1, 50))
def test_rubbish_is_refused_with_a_reason_and_little_of_it_held(data: bytes, size: int) -> None:
    stream = FrameStream()
    try:
        for at in range(0, len(data), size):
            stream.feed(data[at : at + size], 0.0)
            assert len(stream._held) <= MAX_FRAME + 4 + size
    except BadInput as refusal:
        assert refusal.reason


@settings(derandomize=True, deadline=None, max_examples=300)
@given(FRAMES)
def test_a_file_of_rubbish_is_read_to_its_end(data: bytes) -> None:
    found = [item for chunk in whole_frames(io.BytesIO(data).read) for item in payloads(chunk)]
    assert len(found) <= len(data)
