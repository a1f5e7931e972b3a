"""Syslog becomes the lines that a log file would have, whatever arrives."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.dnsmasq import read_dnsmasq
from edge_agent.sources.facts import Contact
from edge_agent.sources.logtime import LogTime
from edge_agent.sources.syslog import LONGEST, SyslogStream, lines

NOW = 1_789_367_462.0  # 2026-09-14T06:31:02Z
TEXT = "query[A] padlet.com from 10.0.0.7"
NEW = "<30>1 2026-09-14T08:31:02.123456+02:00 pi dnsmasq 123 - "
IN_A_FILE = f"2026-09-14T08:31:02+02:00 pi dnsmasq[123]: {TEXT}"


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (f"<30>Sep 14 08:31:02 pi dnsmasq[123]: {TEXT}", f"Sep 14 08:31:02 pi dnsmasq[123]: {TEXT}"),
        (f"<30>Sep  4 08:31:02 dnsmasq[123]: {TEXT}\n", f"Sep  4 08:31:02 dnsmasq[123]: {TEXT}"),
        (f"<30>2026-09-14T08:31:02.123456+02:00 pi dnsmasq[123]: {TEXT}", IN_A_FILE),
        (f"<30>dnsmasq[123]: {TEXT}", f"2026-09-14T06:31:02Z dnsmasq[123]: {TEXT}"),
        (f"{NEW}- {TEXT}", IN_A_FILE),
        (f"{NEW}-  {TEXT}\r\n", IN_A_FILE),
        (f"{NEW}- \ufeff{TEXT}", IN_A_FILE),
        (f'{NEW}[origin ip="192.0.2.1"][x@1 a="b \\] \\" \\\\" c=""] {TEXT}', IN_A_FILE),
        (f"<30>1 2026-09-14T06:31:02Z - dnsmasq - - - {TEXT}", f"2026-09-14T06:31:02Z - dnsmasq: {TEXT}"),
        (f"<30>1 - pi dnsmasq 123 m1 - {TEXT}", f"2026-09-14T06:31:02Z pi dnsmasq[123]: {TEXT}"),
        (f"{NEW}-", "2026-09-14T08:31:02+02:00 pi dnsmasq[123]: "),
        (f"Sep 14 08:31:02 dnsmasq[123]: {TEXT}", f"Sep 14 08:31:02 dnsmasq[123]: {TEXT}"),
        ('{"T":"2026-09-14T06:31:02Z"}', '{"T":"2026-09-14T06:31:02Z"}'),
    ],
)
def test_every_form_of_a_message_is_the_line_that_a_file_would_have(message: str, line: str) -> None:
    assert lines(message.encode(), NOW) == [line.encode()]


def test_what_is_blank_is_no_line() -> None:
    assert lines(b"", NOW) == lines(b"\r\n\0", NOW) == []


def test_a_newline_inside_a_message_cannot_begin_a_line_that_speaks_for_another() -> None:
    forged = f"<30>Sep 14 08:31:02 dnsmasq[1]: query[A] x\nSep 14 08:31:02 dnsmasq[1]: {TEXT}"
    (line,) = lines(forged.encode(), NOW)
    assert b"\n" not in line
    assert read_dnsmasq(line, LogTime(ZoneInfo("UTC"), now=NOW)).facts == []


@pytest.mark.parametrize("trailer", ["\n", "\r\n"])
def test_a_connection_may_mix_counted_and_terminated_messages(trailer: str) -> None:
    message = f"{NEW}- {TEXT}"
    counted = f"{len(message)} {message}"
    stream = SyslogStream()
    fed = stream.feed((counted + counted + message + trailer + counted).encode(), NOW)
    assert fed.records == [IN_A_FILE.encode() + b"\n"] * 4
    assert not stream.unfinished


def test_lines_that_begin_with_a_number_are_not_counted_messages() -> None:
    stream = SyslogStream()
    plain = b"1789371062.123 5 10.0.0.7 TCP_TUNNEL/200\n2026-09-14T06:31:02Z dnsmasq[1]: x\n7 dwarfs\n"
    assert b"".join(stream.feed(plain, NOW).records) == plain


def test_an_unfinished_message_is_none() -> None:
    stream = SyslogStream()
    assert (
        stream.feed(b"<30>Sep 14 08:31:02 dnsmasq[1]: query[A] padlet.com from 10.0.0.1", NOW).records == []
    )
    assert stream.unfinished


@pytest.mark.parametrize("counted", [True, False])
def test_of_ten_megabytes_without_an_end_a_little_is_held_and_what_follows_is_read(counted: bool) -> None:
    size = 9_999_999
    stream = SyslogStream()
    records = stream.feed(b"%d <30>" % size if counted else b"<30>", NOW).records
    for at in range(0, size - 4, 65_536):
        records += stream.feed(b"x" * min(65_536, size - 4 - at), NOW).records
        assert len(stream._held) <= LONGEST, "what is held is bounded"
    records += stream.feed(b"" if counted else b"\n", NOW).records
    records += stream.feed(f"<30>Sep 14 08:31:02 dnsmasq[1]: {TEXT}\n".encode(), NOW).records
    times = LogTime(ZoneInfo("UTC"), now=NOW)
    reading = read_dnsmasq(b"".join(records), times)
    assert (reading.lines, reading.refused) == (2, {"line_too_long": 1})
    assert [fact.address for fact in reading.facts if isinstance(fact, Contact)] == ["10.0.0.7"]


def test_a_too_long_message_is_never_cut_to_one_that_can_be_read() -> None:
    padding = "x" * (LONGEST - len(f'{NEW}[a b=""] {TEXT}') + 1)
    (line,) = lines(f'{NEW}[a b="{padding}"] {TEXT}2'.encode(), NOW)
    assert read_dnsmasq(line, LogTime(ZoneInfo("UTC"), now=NOW)).refused == {"line_too_long": 1}


PIECES = st.sampled_from(
    [
        *(b"<30>", b"<999>", b"1 ", b"12 <", b"- ", b"[a", b' b="', b'"', b"\\", b"]", b"\n", b"\r", b"\0"),
        *(b"Sep 14 08:31:02 ", b"2026-09-14T08:31:02.1Z ", b"\xef\xbb\xbf", b"dnsmasq[1]: ", TEXT.encode()),
    ]
)
RUBBISH = st.lists(PIECES | st.binary(max_size=20), max_size=40).map(b"".join)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(RUBBISH)
def test_whatever_a_datagram_holds_it_is_one_line_or_blank(datagram: bytes) -> None:
    found = lines(datagram, NOW)
    assert len(found) <= 1
    assert not any(set(line) & set(b"\n\r\0") for line in found)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(RUBBISH, st.lists(st.integers(0, 400), max_size=8))
def test_it_makes_no_difference_in_what_pieces_a_stream_arrives(data: bytes, cuts: list[int]) -> None:
    data += b"\n"
    whole = SyslogStream().feed(data, NOW).records
    stream, records, at = SyslogStream(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        records += stream.feed(data[at:cut], NOW).records
        at = max(at, cut)
    assert records == whole
    assert all(record.count(b"\n") == 1 for record in records)


@pytest.mark.parametrize(
    "hostile", ["[a" + ' b="\\"' * 2500, "[a]" * 5000, "[a " + "b=" * 7000, " " * 15_000]
)
def test_the_time_it_takes_grows_with_the_length_only(hostile: str) -> None:
    for _ in range(200):  # with backtracking the first would take minutes
        lines(f"{NEW}{hostile}x".encode(), NOW)
