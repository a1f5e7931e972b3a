"""Decoders of everything that arrives from outside, under input that is nearly right.

A finding is an exception other than BadInput and UsageError, a case that takes a second, memory beyond a
fixed amount above what the process had, or a frame or record that does not survive being encoded again.
"""

from typing import Final

import msgspec
import numpy as np
import pytest

from edge_agent.placing import parcel
from shared import disclosure, records, signals
from shared.link import frames, invitations
from tests.shared.link.fuzzing import (
    Target,
    as_json,
    as_msgpack,
    from_json,
    from_msgpack,
    little_memory,
    run,
)

CASES: Final = 4000  # of each decoder
APPS: Final = 500
KEY: Final = "k" * 40

TO_RECEIVER: Final[list[frames.ToReceiver]] = [
    frames.Hello(1, "records", 5, 6, 1),
    frames.Batch(5, 6, b"payload", b"position"),
    frames.Join(b"s" * 24, "School"),
    frames.Renew(KEY),
    frames.Ask("models", 3),
]
TO_SENDER: Final[list[frames.ToSender]] = [
    frames.Welcome(1, 5, 6, 7, b"position", 65536, 32, (frames.Rejection(3, "no"),), 1, KEY),
    frames.Refused("old_epoch", 9, 1, 1),
    frames.Ack(5, 6),
    frames.Reject(5, 6, "bad"),
    frames.Busy(100),
    frames.Expect(5, 6),
    frames.Joined(),
    frames.Renewed(KEY, "no"),
    frames.Told("models", b"v" * 16, 0, 1, b"data"),
]
BATCH: Final = signals.encode(
    signals.SignalBatch.from_rows(
        [(1_700_000_000 + i, i, i % 2, i % APPS, 1, 2.5) for i in range(20)],
        kind="dnsmasq",
        source="main",
        catalogue="1",
        day_key="2026-01-02",
        class_codes=("7a", "7b"),
    )
)
PARCEL: Final = parcel.encode(
    parcel.Parcel(
        "dnsmasq",
        "main",
        [BATCH],
        20,
        1_700_000_000,
        {"refused": {"bad_line": 2}},
        [("bad_line", "aaa 9")],
        [parcel.Heard("7a", 1_700_000_000, "2026-01-02", [1, 2])],
        [3],
        1_700_000_000,
    )
)
LESSON: Final = {
    "kind": "lesson",
    "school": "School",
    "class": "7a",
    "start": "2026-01-12T10:00:00+01:00",
    "minutes": 45,
    "grade_band": "6-8",
    "subject": "Biology",
    "devices": 20,
    "expected": 24,
    "evidence": 300.5,
    "visibility": 0.5,
    "sources": ["dnsmasq"],
    "feature_set": "1",
    "features": {"create_share": 0.25, "pace": None},
    "strip": [{"create": 0.5}, {}],
    "placements": [
        {
            "model": "samr",
            "dimension": "level",
            "version": "1",
            "probs": [0.25, 0.75],
            "verdict": "placed",
            "low": 0,
            "high": 1,
        }
    ],
    "revision": 1,
}
WEEK: Final = {
    "kind": "week",
    "school": "School",
    "week": "2026-W03",
    "grade_band": "6-8",
    "lessons": 3,
    "classes": 2,
    "teachers": 2,
    "devices": 20,
    "evidence": 300.5,
    "visibility": 0.5,
    "sources": ["dnsmasq"],
    "features": {"make_share": 0.25},
    "placements": [
        {
            "model": "samr",
            "dimension": "level",
            "version": "1",
            "expected": [1.0, 2.0],
            "placed": 2,
            "thin": 1,
            "evidence_only": 0,
        }
    ],
}
STATUS: Final = {
    "kind": "status",
    "school": "School",
    "sources": [{"kind": "dnsmasq", "fresh": "2026-01-12T10:00:00Z"}],
    "backlog": 0,
    "version": "0.1",
}
TOKEN: Final = invitations.Token("tcp://127.0.0.1:5000", KEY, b"s" * 24, 1_800_000_000)
ENTRY: Final = disclosure.Place(3, b"b" * 32, "2026-01-12T10:00:00+01:00", "lesson", 4, b"c" * 32)


def _token_value(text: bytes) -> list[object]:
    token = invitations.decode(text.decode())
    return [token.address, token.server_public, token.secret, token.expires]


def _token_text(value: object) -> bytes:
    """A changed token with the check that belongs to it, so that the fields themselves are looked at."""
    body = msgspec.Raw(msgspec.msgpack.encode(value))
    return invitations.encode(body).encode()  # type: ignore[arg-type] # encoded as it is


def _decode_token(text: bytes) -> object:
    return invitations.decode(text.decode("latin-1"))


TARGETS: Final = (
    Target(
        "frames to a receiver",
        frames.decode_to_receiver,
        [frames.encode(frame) for frame in TO_RECEIVER],
        as_msgpack,
        from_msgpack,
        frames.encode,
    ),
    Target(
        "frames to a sender",
        frames.decode_to_sender,
        [frames.encode(frame) for frame in TO_SENDER],
        as_msgpack,
        from_msgpack,
        frames.encode,
    ),
    Target("signal batches", lambda data: signals.decode(data, apps=APPS), [BATCH], as_msgpack, from_msgpack),
    Target("parcels", parcel.decode, [PARCEL], as_msgpack, from_msgpack),
    Target(
        "records",
        records.decode,
        [from_json(record) for record in (LESSON, WEEK, STATUS)],
        as_json,
        from_json,
        records.encode,
    ),
    Target("invitations", _decode_token, [invitations.encode(TOKEN).encode()], _token_value, _token_text),
    Target(
        "places in the disclosure log",
        disclosure.unpack,
        [from_msgpack(ENTRY)],
        as_msgpack,
        from_msgpack,
        from_msgpack,
    ),
)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_is_nearly_right_is_taken_or_refused_in_words(target: Target) -> None:
    with little_memory():
        found = run(target, CASES, seed=1)
    assert found.total() == CASES
    assert found["taken"] > CASES // 200, "nothing gets past the first check"
    assert found["taken"] < CASES, "nothing is refused"


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_examples_themselves_are_taken(target: Target) -> None:
    for example in target.examples:
        target.decode(example)


def test_a_batch_with_odd_numbers_in_its_columns_is_refused() -> None:
    odd = np.array([np.nan, np.inf, -1.0, 1e30], dtype="<f4")
    value = as_msgpack(BATCH)
    for number in odd:
        value[-1] = np.full(20, number, dtype="<f4").tobytes()
        with pytest.raises(Exception, match="batch_amount_range"):
            signals.decode(from_msgpack(value), apps=APPS)
