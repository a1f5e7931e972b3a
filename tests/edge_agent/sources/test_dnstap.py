"""Of dnstap only who asked for what and when is read; whatever else comes is counted."""

import struct
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.dnstap import question, read_dnstap
from edge_agent.sources.facts import Contact, Reading
from edge_agent.sources.framestream import DNSTAP, control, framed
from edge_agent.sources.logtime import LogTime
from shared.errors import BadInput
from tests.edge_agent.sources.dnstap_frames import (
    CLIENT_RESPONSE,
    RESOLVER_QUERY,
    data,
    frame,
    message,
    number,
    query,
    varint,
)

T = 1_789_367_462


def read(chunk: bytes) -> Reading:
    return read_dnstap(chunk, LogTime(ZoneInfo("UTC"), now=float(T)))


def test_a_clients_query_is_a_contact() -> None:
    file = control(2, DNSTAP) + frame(T, "10.0.0.7", "Padlet.com") + frame(T + 1, "2001:db8::7", "a.example")
    reading = read(file + frame(T, "::ffff:10.0.0.8", "b.example") + control(3))
    assert reading.facts == [
        Contact(T, "10.0.0.7", "Padlet.com"),
        Contact(T + 1, "2001:db8::7", "a.example"),
        Contact(T, "10.0.0.8", "b.example"),
    ]
    assert (reading.lines, reading.newest, reading.refused) == (3, T + 1, {})


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (message(T, "10.0.0.7", query("a.example"), kind=CLIENT_RESPONSE), "not_a_client_query"),
        (message(T, "10.0.0.7", query("a.example"), kind=RESOLVER_QUERY), "not_a_client_query"),
        (message(T, "10.0.0.7", query("7.0.0.10.in-addr.arpa", kind=12)), "query_type"),
        (message(T, "10.0.0.7", query("version.bind", of_class=3)), "query_type"),
        (message(T, "10.0.0.7", query("")), "no_name"),
        (number(15, 2), "no_dns_message"),
        (number(14, 5) + number(15, 1), "no_dns_message"),
    ],
)
def test_what_is_in_order_and_no_use_is_passed_over(payload: bytes, reason: str) -> None:
    reading = read(framed(payload))
    assert (reading.facts, reading.lines, reading.passed_over, reading.refused) == ([], 1, {reason: 1}, {})


INNER = number(1, 5) + number(8, T)
LOOP = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c" + struct.pack(">HH", 1, 1)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (message(T, "10.0.0.7", LOOP), "malformed_name"),
        (message(T, "10.0.0.7", query(".".join(["a" * 63] * 4))), "malformed_name"),
        (message(T, "10.0.0.7", query("a\nb.example")), "forged_name"),
        (message(T, "10.0.0.7", query("a b.example")), "forged_name"),
        (message(T, "10.0.0.7", query("ab").replace(b"\x02ab", b"\x03a.b")), "forged_name"),
        (message(T, "10.0.0.7", b"short"), "malformed_query"),
        (message(T, "10.0.0.7", query("a.example")[:-3]), "malformed_query"),
        (message(T, "10.0.0.7", b"\0\7\x81\x80" + query("a.example")[4:]), "malformed_query"),
        (message(1 << 32, "10.0.0.7", query("a.example")), "unreadable_time"),
        (data(14, INNER + data(10, query("a"))) + number(15, 1), "incomplete_message"),
        (data(14, INNER + data(4, b"abc") + data(10, query("a"))) + number(15, 1), "malformed_address"),
        (varint(14 << 3 | 2) + varint(10**9), "malformed_frame"),
        (b"\xff" * 11, "malformed_frame"),
        (varint(1 << 3 | 3), "malformed_frame"),
    ],
)
def test_what_is_broken_or_forged_is_refused_and_costs_nothing_around_it(payload: bytes, reason: str) -> None:
    reading = read(frame(T, "10.0.0.1", "a.example") + framed(payload) + frame(T, "10.0.0.2", "a.example"))
    assert [fact.address for fact in reading.facts if isinstance(fact, Contact)] == ["10.0.0.1", "10.0.0.2"]
    assert (reading.lines, reading.refused) == (3, {reason: 1})
    assert reading.excerpts == [(reason, "")], "nothing of a frame is kept"


def test_a_name_may_have_253_characters_and_no_more() -> None:
    longest = ".".join(["a" * 63] * 3 + ["b" * 61])
    assert question(query(longest)) == (longest, 1)
    with pytest.raises(BadInput):
        question(query(longest + "b"))


def test_a_resolver_whose_clock_is_years_ahead_says_nothing_of_how_far_it_has_come() -> None:
    assert read(frame(T + 10**8, "10.0.0.7", "a.example") + frame(T, "10.0.0.7", "b.example")).newest == T


GOOD = message(T, "10.0.0.7", query("padlet.com"))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good message with some bytes changed, cut or put in."""
    payload = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(payload) - 1)))
        payload[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=4))
    return bytes(payload)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.lists(damaged() | st.binary(min_size=1, max_size=60), min_size=1, max_size=5))
def test_every_frame_is_a_fact_refused_or_passed_over(found: list[bytes]) -> None:
    found = [payload for payload in found if payload]  # an empty one would be a control frame
    reading = read(b"".join(map(framed, found)))
    told = len(reading.facts) + sum(reading.refused.values()) + sum(reading.passed_over.values())
    assert told == reading.lines == len(found)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda tail: query("a.example")[:12] + tail))
def test_no_dns_message_hangs_or_breaks_it(dns: bytes) -> None:
    try:
        name, _ = question(dns)
    except BadInput:
        return
    assert len(name) <= 253
