"""Frames say the same on both sides, and nothing that arrives can do more than be refused."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.link import frames
from shared.link.frames import (
    MAX_FRAME,
    MAX_NUMBER,
    MAX_PAYLOAD,
    Ack,
    Batch,
    Busy,
    Expect,
    Hello,
    Join,
    Joined,
    Refused,
    Reject,
    Rejection,
    Welcome,
    decode_to_receiver,
    decode_to_sender,
    encode,
)

UP: list[frames.ToReceiver] = [
    Hello(1, "records", 1_750_000_000_000, 7),
    Batch(3, 1, b""),
    Batch(MAX_NUMBER, MAX_NUMBER, bytes(MAX_PAYLOAD), bytes(1024)),
    Join(bytes(24), "Alder Primary"),
]
DOWN: list[frames.ToSender] = [
    Welcome(1, 3, 7, 9, b"here", MAX_PAYLOAD, 8, (Rejection(9, "bad_payload"),)),
    Welcome(1, 3, 7, 0, None, 100, 1),
    Refused("old_epoch", 4),
    Ack(3, 9),
    Reject(3, 9, "bad_payload"),
    Busy(250),
    Expect(3, 10),
    Joined(),
]


@pytest.mark.parametrize("frame", UP, ids=lambda f: type(f).__name__)
def test_what_a_sender_says_arrives_as_it_was_said(frame: frames.ToReceiver) -> None:
    assert decode_to_receiver(encode(frame)) == frame


@pytest.mark.parametrize("frame", DOWN, ids=lambda f: type(f).__name__)
def test_what_a_receiver_says_arrives_as_it_was_said(frame: frames.ToSender) -> None:
    assert decode_to_sender(encode(frame)) == frame


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    epoch=st.integers(0, MAX_NUMBER),
    seq=st.integers(1, MAX_NUMBER),
    payload=st.binary(max_size=3000),
    position=st.none() | st.binary(max_size=1024),
)
def test_any_batch_makes_the_round_trip(epoch: int, seq: int, payload: bytes, position: bytes | None) -> None:
    batch = Batch(epoch, seq, payload, position)
    assert decode_to_receiver(encode(batch)) == batch


def test_the_largest_batch_fits_the_largest_frame() -> None:
    assert len(encode(UP[2])) <= MAX_FRAME


@pytest.mark.parametrize(
    "frame",
    [
        Batch(3, 0, b"x"),
        Batch(-1, 1, b"x"),
        Batch(3, MAX_NUMBER + 1, b"x"),
        Batch(3, 1, bytes(MAX_PAYLOAD + 1)),
        Batch(3, 1, b"x", bytes(1025)),
        Hello(1, "", 3, 0),
        Hello(1, "Records", 3, 0),
        Hello(1, "records\n", 3, 0),
        Hello(1, "../records", 3, 0),
        Hello(1, "r" * 65, 3, 0),
        Hello(1, "records", True, 0),
        Join(b"short", "x"),
        Join(bytes(24), ""),
        Join(bytes(24), "x" * 201),
    ],
    ids=repr,
)
def test_a_field_out_of_its_range_is_refused(frame: frames.ToReceiver) -> None:
    with pytest.raises(BadInput, match="bad_frame"):
        decode_to_receiver(encode(frame))


def test_a_frame_for_the_other_direction_is_refused() -> None:
    for up in UP:
        with pytest.raises(BadInput):
            decode_to_sender(encode(up))
    for down in DOWN:
        with pytest.raises(BadInput):
            decode_to_receiver(encode(down))


def test_a_frame_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(BadInput, match="frame_too_large"):
        decode_to_receiver(bytes(MAX_FRAME + 1))


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(BadInput, match="bad_frame"):
        decode_to_receiver(b"\x95\x01\x01\xa1a\x01" + b"\x91" * 60_000)


def test_a_later_version_may_append_fields() -> None:
    assert decode_to_sender(b"\x94\x13\x03\x09\xa3new") == Ack(3, 9)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.sampled_from([*UP, *DOWN]), st.integers(0, 2**32 - 1))
def test_altered_frames_decode_or_are_refused_and_nothing_else(
    frame: frames.ToReceiver | frames.ToSender, seed: int
) -> None:
    rng = random.Random(seed)
    data = bytearray(encode(frame)[:4000])
    for _ in range(rng.randrange(1, 8)):
        match rng.randrange(3):
            case 0 if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
            case 1 if data:
                del data[rng.randrange(len(data)) :]
            case _:
                data[rng.randrange(len(data) + 1) : 0] = rng.randbytes(rng.randrange(1, 6))
    for decode in (decode_to_receiver, decode_to_sender):
        try:
            decode(bytes(data))
        except BadInput as error:
            assert error.reason == "bad_frame"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_noise_decodes_or_is_refused_and_nothing_else(data: bytes) -> None:
    for decode in (decode_to_receiver, decode_to_sender):
        try:
            decode(data)
        except BadInput as error:
            assert error.reason == "bad_frame"
