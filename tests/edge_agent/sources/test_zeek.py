"""Zeek's logs tell names asked for, names spoken to and who had traffic; every line is accounted for."""

import zlib
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.facts import Contact, Present, Reading
from edge_agent.sources.logtime import LogTime
from edge_agent.sources.zeek import ZeekReader
from shared.exports import MAX_LINE

SAMPLES = Path(__file__).parent / "samples" / "zeek"
LOGS = sorted(path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*.log*"))
TIMES = LogTime(ZoneInfo("America/Denver"))
HEAD = b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
DNS = HEAD + b"#path\tdns\n#fields\tts\tid.orig_h\tquery\tqtype_name\n"
CONN = HEAD + b"#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\tduration\tconn_state\tlocal_orig\n"


def content(name: str) -> bytes:
    """A sample as it was written; of the broken archive whatever can be had."""
    data = (SAMPLES / name).read_bytes()
    return zlib.decompressobj(wbits=31).decompress(data) if name.endswith(".gz") else data


def read(data: bytes) -> Reading:
    """What a fresh reader makes of a whole file."""
    return ZeekReader()(data, TIMES)


def accounted(reading: Reading) -> int:
    """Lines that became a fact, were refused or passed over."""
    return len(reading.facts) + sum(reading.refused.values()) + sum(reading.passed_over.values())


@pytest.mark.parametrize("name", LOGS)
def test_every_line_of_a_log_is_accounted_for_and_none_is_refused_but_one_cut_off(name: str) -> None:
    lines = [line for line in content(name).split(b"\n") if line and not line.startswith(b"#")]
    reading = read(content(name))
    assert reading.lines == accounted(reading) == len(lines)
    assert sum(reading.refused.values()) <= (name.endswith(".gz"))


def test_dns_tells_who_asked_for_what_in_both_formats() -> None:
    facts = read(content("dns.log")).facts
    assert facts[0] == Contact(1379288667, "192.168.33.10", "guyspy.com")
    reading = read(content("json/dns.log"))
    assert reading.facts[0] == Contact(1575413123, "10.18.20.97", "dns.msftncsi.com")
    assert reading.passed_over == {"query_type": 2}


def test_ssl_and_http_tell_host_names_and_nothing_of_what_was_read_there() -> None:
    assert read(content("json/ssl.log")).facts[0] == Contact(1575413156, "10.18.20.97", "mail.aol.com")
    assert read(content("ssl.log")).passed_over == {"no_name": 4}
    assert read(content("http.log")).facts[0] == Contact(1379288667, "192.168.33.10", "guyspy.com")
    by_address = b'{"ts":1.0,"id.orig_h":"10.0.0.1","method":"GET","host":"10.0.0.9:8080","uri":"/jane"}\n'
    assert read(by_address).passed_over == {"no_name": 1}


def test_conn_tells_who_had_traffic_and_for_how_long() -> None:
    assert read(content("conn.log")).facts[0] == Present(1379288667, "192.168.33.10", 0.447460)
    first = read(content("json/conn.log")).facts[0]
    assert isinstance(first, Present) and first.seconds == pytest.approx(0.0012309551)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1.0\t10.0.0.1\t93.184.216.34\t9\tS0\tT", "unanswered"),
        (b"1.0\t10.0.0.1\t224.0.0.251\t9\tSF\tT", "to_nobody"),
        (b"1.0\tfe80::1\tff02::fb\t9\tSF\tT", "to_nobody"),
        (b"1.0\t93.184.216.34\t10.0.0.1\t9\tSF\tF", "from_outside"),
    ],
)
def test_traffic_with_nobody_and_from_outside_is_no_presence(line: bytes, reason: str) -> None:
    reading = read(CONN + line + b"\n")
    assert (reading.facts, reading.passed_over) == ([], {reason: 1})


def test_a_connection_without_a_duration_was_there_for_a_moment_and_none_lasts_longer_than_a_day() -> None:
    rest = b"\t10.0.0.1\t1.2.3.4\t"
    lines = (
        b"1.5"
        + rest
        + b"-\tSF\t-\n2.5"
        + rest
        + b"9e99\tSF\t-\n3"
        + rest
        + b"-1\tSF\t-\n4"
        + rest
        + b"nan\tSF\t-\n"
    )
    reading = read(CONN + lines)
    assert reading.facts == [Present(1, "10.0.0.1", 0.0), Present(2, "10.0.0.1", 86400.0)]
    assert reading.refused == {"bad_number": 2}


def test_the_head_of_a_file_shown_again_after_a_restart_lets_the_rest_be_read() -> None:
    head, rest = content("dns.log")[:1200], b"1379288999.5\t10.0.0.1\twww.khanacademy.org\tA\n"
    reader = ZeekReader()
    assert reader(rest, TIMES).refused == {"no_header": 1}
    reader(DNS, TIMES)
    assert reader(rest, TIMES).facts == [Contact(1379288999, "10.0.0.1", "www.khanacademy.org")]
    reader(head[: head.rfind(b"\n") + 1], TIMES)
    assert reader(rest, TIMES).refused == {"wrong_columns": 1}


def test_a_log_with_another_order_and_another_separator_is_read_by_its_own_header() -> None:
    head = b"#separator |\n#unset_field|~\n#path|dns\n#fields|query|ts|id.orig_h\n"
    data = head + b"math.example|7.9|10.0.0.1\n~|8|10.0.0.1\n"
    reading = read(data)
    assert (reading.facts, reading.passed_over) == (
        [Contact(7, "10.0.0.1", "math.example")],
        {"no_name": 1},
    )


def test_escaped_bytes_are_what_they_stand_for() -> None:
    assert read(DNS + b"1\t10.0.0.1\tb\\x63.example\tA\n").facts == [Contact(1, "10.0.0.1", "bc.example")]
    assert read(DNS + b"1\t10.0.0.1\tb\\\\x63.example\tA\n").facts == [
        Contact(1, "10.0.0.1", "b\\x63.example")
    ]
    assert read(DNS + b"1\t10.0.0.1\ta\\x0ab.example\tA\n").refused == {"bad_name": 1}


def test_a_time_may_be_written_as_iso_8601() -> None:
    line = (
        b'{"ts":"2019-12-03T22:45:22.764317Z","id.orig_h":"10.0.0.1","query":"a.example","qtype_name":"A"}\n'
    )
    assert read(line).facts == [Contact(1575413122, "10.0.0.1", "a.example")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"x\t10.0.0.1\ta.example\tA", "unreadable_time"),
        (b"4294967296\t10.0.0.1\ta.example\tA", "unreadable_time"),
        (b"1\tjane\ta.example\tA", "bad_address"),
        (b"1\t10.0.0.1\t" + b"a" * 260 + b"\tA", "bad_name"),
        (b"1\t10.0.0.1\ta.example", "wrong_columns"),
        (b"1\t10.0.0.1\ta\0.example\tA", "control_bytes"),
        (b"#who\tjane", "malformed_line"),
        (b'{"ts":1,', "malformed_line"),
        (b'{"a":' + b"[" * 8000, "malformed_line"),
        (b"a" * (MAX_LINE + 1), "line_too_long"),
    ],
)
def test_what_is_broken_is_refused_with_its_reason_and_the_next_line_is_read(
    line: bytes, reason: str
) -> None:
    reading = read(DNS + line + b"\n1\t10.0.0.1\ta.example\tA\n")
    assert (reading.refused, len(reading.facts), reading.lines) == ({reason: 1}, 1, 2)


WORDS = (
    b"#separator \\x09\n|#separator \\x2c\n|#path\tdns\n|#fields\tts\tid.orig_h\n|#fields\n|"
    b'{"ts":|}\n|\t|\n|1e308|-|10.0.0.1'
)
pieces = st.sampled_from([DNS, CONN, b'"id.orig_h":[]', *WORDS.split(b"|")])


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(st.one_of(pieces, st.binary(max_size=60)), max_size=25))
def test_no_bytes_break_the_reader_and_every_counted_line_has_a_fate(parts: list[bytes]) -> None:
    reading = read(b"".join(parts))
    assert reading.lines == accounted(reading) <= b"".join(parts).count(b"\n") + 1
