"""The Unbound source reads every dialect of its lines, and what a real Unbound writes."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.facts import Contact
from edge_agent.sources.logtime import LogTime
from edge_agent.sources.unbound import read_unbound
from tests.edge_agent.sources.asking import (
    SAMPLES,
    ask_everything,
    assert_every_line_is_accounted_for,
    counted,
)
from tests.edge_agent.sources.programs import needs, unbound

ZURICH = ZoneInfo("Europe/Zurich")
AT = 1789367462  # 14 September 2026, 08:31:02 in Zurich


def times() -> LogTime:
    return LogTime(ZURICH, year=2026)


@pytest.mark.parametrize(
    "head",
    [
        "[1789367462] unbound[7479:0] info:",
        "[1789367462] unbound[7479:a] query:",
        "Sep 14 08:31:02 unbound[7479:0] info:",
        "2026-09-14T08:31:02.999+02:00 unbound[7479:0] query:",
        "Sep 14 08:31:02 resolver unbound[7479]: [7479:0] info:",
        "Sep 14 08:31:02 resolver unbound: [7479:0] query:",
        "2026-09-14T06:31:02.123456+00:00 resolver unbound[7479]: [7479:0] info:",
        "2026-09-14T06:31:02Z unbound[7479]: [7479:0] info:",
    ],
)
@pytest.mark.parametrize("kind", ["A", "AAAA", "HTTPS", "SVCB", "TYPE65"])
def test_a_query_line_of_every_dialect_is_a_contact(head: str, kind: str) -> None:
    reading = read_unbound(f"{head} 10.20.3.41 padlet.com. {kind} IN\n".encode(), times())
    assert reading.facts == [Contact(AT, "10.20.3.41", "padlet.com.")]
    assert (reading.newest, reading.refused, reading.passed_over) == (AT, {}, {})


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("info: 10.20.3.41 padlet.com. A IN NOERROR 0.012345 0 53", "reply"),
        ("reply: 10.20.3.41 padlet.com. A IN NOERROR 0.012345 0 53", "reply"),
        ("query: 10.20.3.41 41.3.20.10.in-addr.arpa. PTR IN", "query_type"),
        ("query: 10.20.3.41 version.bind. TXT CH", "query_type"),
        ("query: 10.20.3.41 . A IN", "no_name"),
        ("info: start of service (unbound 1.17.1).", "other"),
        ("info: mask.icloud.com. always_nxdomain 10.20.3.42@51123 mask.icloud.com. A IN", "other"),
        ("error: SERVFAIL <padlet.com. A IN>: all servers failed", "other"),
    ],
)
def test_other_lines_are_passed_over_by_reason(words: str, reason: str) -> None:
    reading = read_unbound(f"[{AT}] unbound[1:0] {words}\n".encode(), times())
    assert (reading.facts, reading.refused, reading.passed_over) == ([], {}, {reason: 1})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("rubbish", "malformed_line"),
        ("[1789367462] unbound info: 10.0.0.1 a.example. A IN", "malformed_line"),
        ("Sep 14 08:31:02 dnsmasq[1]: query[A] a.example from 10.0.0.1", "malformed_line"),
        ("Sep 14 08:31:02 dns webserver[9]: [9:0] info: 10.0.0.1 a.example. A IN", "malformed_line"),
        ("Sep 14 08:31:02 webserver: unbound[9:0] info: 10.0.0.1 a.example. A IN", "malformed_line"),
        ("[1789367462] not-unbound[9:0] info: 10.0.0.1 a.example. A IN", "malformed_line"),
        ("[9999999999] unbound[1:0] info: 10.0.0.1 a.example. A IN", "unreadable_time"),
        ("Sep 33 08:31:02 unbound[1:0] info: 10.0.0.1 a.example. A IN", "unreadable_time"),
        ("[1789367462] unbound[1:0] info: 10.0.0.1 a?b.example. A IN", "forged_name"),
        (f"[1789367462] unbound[1:0] info: 10.0.0.1 {'a' * 300}. A IN", "forged_name"),
        (f"[1789367462] unbound[1:0] info: {'a' * 5000}", "line_too_long"),
    ],
)
def test_what_cannot_be_used_is_refused_and_the_good_line_after_it_is_not_lost(
    line: str, reason: str
) -> None:
    good = f"[{AT}] unbound[1:0] info: 10.0.0.1 a.example. A IN"
    reading = read_unbound(f"{line}\n{good}\n".encode(), times())
    assert reading.refused == {reason: 1}
    assert len(reading.facts) == 1


def test_a_line_from_the_future_does_not_say_how_far_the_log_has_come() -> None:
    now = datetime(2026, 9, 14, 8, tzinfo=UTC).timestamp()
    data = b"[4294967295] unbound[1:0] info: 10.0.0.1 a.example. A IN\n"
    data += b"[1789367462] unbound[1:0] info: 10.0.0.1 a.example. A IN\n"
    reading = read_unbound(data, LogTime(ZURICH, now=now))
    assert (reading.newest, len(reading.facts)) == (AT, 2)


def test_every_line_of_the_sample_is_accounted_for() -> None:
    data = (SAMPLES / "unbound.log").read_bytes()
    reading = read_unbound(data, times())
    assert_every_line_is_accounted_for(reading, data)
    assert (len(reading.facts), reading.refused) == (9, {"forged_name": 1})


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(st.characters(blacklist_characters="\n", max_codepoint=255), max_size=80),
        st.lists(st.sampled_from(["10.0.0.9", "a.", "A", "IN", "info:", "[1] unbound[1:0]", " "])).map(
            " ".join
        ),
    )
)
def test_whatever_a_name_holds_nobody_speaks_for_another_address(name: str) -> None:
    data = f"[{AT}] unbound[1:0] info: 10.0.0.5 {name} A IN\n".encode("latin-1")
    reading = read_unbound(data, times())
    assert {fact.address for fact in reading.facts if isinstance(fact, Contact)} <= {"10.0.0.5"}
    assert_every_line_is_accounted_for(reading, data)


@needs("unbound")
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("log-time-ascii: yes", "log-tag-queryreply: yes", "log-replies: yes"),
        ("log-replies: yes", "log-local-actions: yes", "verbosity: 2"),
    ],
)
def test_what_a_real_unbound_wrote_is_who_asked_for_what(tmp_path: Path, options: tuple[str, ...]) -> None:
    with unbound(tmp_path, *options) as (port, log):
        asked = ask_everything(port)
    data = log.read_bytes()
    now = datetime.now(UTC).timestamp()
    reading = read_unbound(data, LogTime(ZoneInfo("UTC"), now=now))
    assert counted(reading) == asked
    assert set(reading.refused) == {"forged_name"}
    assert reading.newest is not None and now - 60 < reading.newest <= now
    assert_every_line_is_accounted_for(reading, data)


@pytest.mark.parametrize("program", ["webserver", "school-dns", "unbound-anchor", "sshd"])
def test_no_other_program_on_the_same_syslog_speaks_as_unbound(program: str) -> None:
    words = "[9:0] info: 10.0.0.9 a.example. A IN"
    lines = [f"Sep 14 08:31:02 {head} {words}" for head in (f"dns {program}[9]:", f"{program}: unbound:")]
    reading = read_unbound("\n".join(lines).encode(), times())
    assert (reading.facts, reading.refused) == ([], {"malformed_line": 2})
