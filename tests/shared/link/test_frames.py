"""Frames say the same on both sides, and nothing that arrives can do more than be refused."""

import hashlib
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.link import frames
from shared.link.frames import (
    MAX_FRAME,
    MAX_NUMBER,
    MAX_PARTS,
    MAX_PAYLOAD,
    MINOR,
    PART,
    Ack,
    Ask,
    Batch,
    Busy,
    Expect,
    Hello,
    Join,
    Joined,
    Refused,
    Reject,
    Rejection,
    Renew,
    Renewed,
    Told,
    Welcome,
    decode_to_receiver,
    decode_to_sender,
    encode,
)
from tests.shared.link.spoken import EXAMPLES, FOLDER, KEY, entries, recorded, values

# The bytes of every minor version that was ever spoken. A later one adds its own file, and changes none.
RECORDED = {
    0: "bf330ec52e603f8e6d39b854c4d3d93f126c7733aa93685a147681689da49373",
    1: "fdeda14097723017a5dc06d90a6d44860239597cc371700c0269ad115b030667",
}

UP: list[frames.ToReceiver] = [
    Hello(1, "records", 1_750_000_000_000, 7),
    Batch(3, 1, b""),
    Batch(MAX_NUMBER, MAX_NUMBER, bytes(MAX_PAYLOAD), bytes(1024)),
    Join(bytes(24), "Alder Primary"),
    Hello(1, "records", 3, 7, 1),
    Renew(KEY),
    Ask("catalogue:2026-1", MAX_PARTS - 1),
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
    Welcome(1, 3, 7, 0, None, 100, 1, (), 1, KEY),
    Refused("version", 0, 2, 3),
    Renewed(KEY),
    Renewed(KEY, "revoked"),
    Told("catalogue:2026-1", bytes(16), MAX_PARTS - 1, MAX_PARTS, bytes(PART)),
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
        Hello(1, "records", 3, 0, -1),
        Renew(""),
        Renew("k" * 39),
        Renew("k" * 39 + "~"),
        Renew("k" * 40 + "\n"),
        Ask("", 0),
        Ask("../catalogue", 0),
        Ask("catalogue", MAX_PARTS),
        Ask("catalogue", -1),
    ],
    ids=repr,
)
def test_a_field_out_of_its_range_is_refused(frame: frames.ToReceiver) -> None:
    with pytest.raises(BadInput, match="bad_frame"):
        decode_to_receiver(encode(frame))


@pytest.mark.parametrize(
    "frame",
    [
        Welcome(1, 3, 7, 0, None, 100, 1, (), 1, "short"),
        Renewed("short"),
        Told("catalogue", bytes(33), 0, 1, b""),
        Told("catalogue", bytes(16), MAX_PARTS, MAX_PARTS, b""),
        Told("catalogue", bytes(16), 0, MAX_PARTS + 1, b""),
        Told("catalogue", bytes(16), 0, 1, bytes(PART + 1)),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_a_field_of_an_answer_out_of_its_range_is_refused(frame: frames.ToSender) -> None:
    with pytest.raises(BadInput, match="bad_frame"):
        decode_to_sender(encode(frame))


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


EVERY = [
    pytest.param(entry, id=f"{entry['frame']} of {minor}") for minor in RECORDED for entry in recorded(minor)
]


def decode_any(data: bytes) -> frames.ToReceiver | frames.ToSender:
    try:
        return decode_to_receiver(data)
    except BadInput:
        return decode_to_sender(data)


def test_what_was_recorded_is_never_changed_and_today_is_among_it() -> None:
    digests = {m: hashlib.sha256((FOLDER / f"minor_{m}.json").read_bytes()).hexdigest() for m in RECORDED}
    assert digests == RECORDED
    assert max(RECORDED) == MINOR, "record the new minor version, and add its digest"
    assert entries(EXAMPLES) == recorded(MINOR), "what is said today is what was recorded of it"


def test_each_kind_of_frame_is_recorded() -> None:
    kinds = {type(frame).__name__ for frame in [*UP, *DOWN]}
    assert {entry["frame"] for entry in recorded(MINOR)} == kinds


@pytest.mark.parametrize("entry", EVERY)
def test_frames_of_every_minor_version_are_read_as_they_were_meant(entry: dict[str, Any]) -> None:
    frame = decode_any(bytes.fromhex(entry["bytes"]))
    assert type(frame).__name__ == entry["frame"]
    read = values(frame)
    assert {name: read[name] for name in entry["values"]} == entry["values"]
    later = read.keys() - entry["values"].keys()
    assert all(read[name] in (0, "") for name in later), "what it could not say yet is what it did not mean"


@pytest.mark.parametrize("entry", recorded(MINOR), ids=lambda entry: entry["frame"])
def test_a_later_version_may_append_fields(entry: dict[str, Any]) -> None:
    today = bytes.fromhex(entry["bytes"])
    fields = msgspec.msgpack.decode(today)
    assert decode_any(msgspec.msgpack.encode([*fields, "new", {"newer": [1]}])) == decode_any(today)


@pytest.mark.parametrize("older", range(MINOR))
def test_what_is_said_today_means_the_same_to_a_reader_of_an_older_minor_version(older: int) -> None:
    """An older reader sees as many fields as it knows, and passes over the rest."""
    known = {entry["frame"]: list(entry["values"]) for entry in recorded(older)}
    for entry in recorded(MINOR):
        names = known.get(entry["frame"])
        if names is None:
            continue  # never said to it: see `versions`
        said = msgspec.msgpack.decode(bytes.fromhex(entry["bytes"]))
        read = values(decode_any(msgspec.msgpack.encode(said[: 1 + len(names)])))
        assert list(read)[: len(names)] == names
        assert {name: read[name] for name in names} == {name: entry["values"][name] for name in names}


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
