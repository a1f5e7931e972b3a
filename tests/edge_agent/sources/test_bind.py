"""The BIND source reads every combination of its log's options, and what a real named writes."""

from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.bind import read_bind
from edge_agent.sources.facts import Contact
from edge_agent.sources.logtime import LogTime
from tests.edge_agent.sources.asking import (
    SAMPLES,
    ask_everything,
    assert_every_line_is_accounted_for,
    counted,
)
from tests.edge_agent.sources.programs import named, needs

ZURICH = ZoneInfo("Europe/Zurich")
AT = 1789367462  # 14 September 2026, 08:31:02 in Zurich
TIMES = (
    "14-Sep-2026 08:31:02.123 ",
    "2026-09-14T08:31:02.123 ",
    "2026-09-14T06:31:02.123Z ",
    "2026-09-14T08:31:02.123+02:00 ",
    "Sep 14 08:31:02 resolver named[812]: ",
    "2026-09-14T08:31:02.123456+02:00 resolver named[812]: ",
    "Sep 14 08:31:02 resolver named[812]: 14-Sep-2026 08:31:02.123 ",
)
CLIENTS = (
    "client @0x7f1b73e74098 10.20.3.41#47935 (padlet.com): ",
    "client @0x7f1b73e74098 10.20.3.41#47935 (padlet.com): view pupils: ",
    "client @0x7f1b73e74098 10.20.3.41#47935/key school (padlet.com): ",
    "client 10.20.3.41#47935 (padlet.com): ",
    "client 10.20.3.41#47935: ",
)


def times() -> LogTime:
    return LogTime(ZURICH, year=2026)


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_query_line_of_every_dialect_is_a_contact(time: str, client: str) -> None:
    tails = ("+ (10.0.0.53)", "-", "+E(0)TDCK (10.0.0.53)", "+E(0) (10.0.0.53) [ECS 10.20.3.0/24/0]")
    for category, severity, tail in product(("", "queries: "), ("", "info: "), tails):
        line = f"{time}{category}{severity}{client}query: padlet.com IN HTTPS {tail}\n"
        reading = read_bind(line.encode(), times())
        assert reading.facts == [Contact(AT, "10.20.3.41", "padlet.com")], line
        assert (reading.newest, reading.refused, reading.passed_over) == (AT, {}, {})


CLIENT = "client @0x7f1b 10.0.0.1#5 (x): "


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (f"queries: info: {CLIENT}query: 41.3.20.10.in-addr.arpa IN PTR + (10.0.0.53)", "query_type"),
        (f"{CLIENT}query: version.bind CH TXT + (10.0.0.53)", "query_type"),
        (f"{CLIENT}query: . IN A + (10.0.0.53)", "no_name"),
        (f"{CLIENT}response: padlet.com IN A NOERROR + (10.0.0.53)", "reply"),
        (f"query-errors: info: {CLIENT}query failed (SERVFAIL) for x/IN/A at query.c:7836", "other"),
        (f"{CLIENT}query (cache) 'padlet.com/A/IN' denied", "other"),
        ("general: info: all zones loaded", "other"),
    ],
)
def test_other_lines_are_passed_over_by_reason(words: str, reason: str) -> None:
    reading = read_bind(f"14-Sep-2026 08:31:02.123 {words}\n".encode(), times())
    assert (reading.facts, reading.refused, reading.passed_over) == ([], {}, {reason: 1})


GOOD = f"14-Sep-2026 08:31:02.123 {CLIENT}query: a.example IN A + (10.0.0.53)"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("rubbish", "malformed_line"),
        ("Sep 14 08:31:02 dnsmasq[1]: query[A] a.example from 10.0.0.1", "malformed_line"),
        ("[1789367462] unbound[1:0] info: 10.0.0.1 a.example. A IN", "malformed_line"),
        (f"{CLIENT}query: a.example IN A + (10.0.0.53)", "unreadable_time"),
        (GOOD.replace("14-Sep", "31-Sep"), "unreadable_time"),
        (GOOD.replace("Sep", "Foo"), "unreadable_time"),
        (GOOD.replace("a.example", r"a\032b.example"), "forged_name"),
        (GOOD.replace("a.example", "a" * 300), "forged_name"),
        (GOOD + " " * 5000, "line_too_long"),
    ],
)
def test_what_cannot_be_used_is_refused_and_the_good_line_after_it_is_not_lost(
    line: str, reason: str
) -> None:
    reading = read_bind(f"{line}\n{GOOD}\n".encode(), times())
    assert reading.refused == {reason: 1}
    assert len(reading.facts) == 1


def test_every_line_of_the_sample_is_accounted_for() -> None:
    data = (SAMPLES / "bind.log").read_bytes()
    reading = read_bind(data, times())
    assert_every_line_is_accounted_for(reading, data)
    assert (len(reading.facts), reading.refused) == (9, {"forged_name": 1})


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(st.characters(blacklist_characters="\n", max_codepoint=255), max_size=80),
        st.lists(st.sampled_from(["10.0.0.9#1", "(a):", "A", "IN", "query:", CLIENT, "view x:"])).map(
            " ".join
        ),
    )
)
def test_whatever_a_name_holds_nobody_speaks_for_another_address(name: str) -> None:
    line = f"14-Sep-2026 08:31:02.123 client @0x1 10.0.0.5#1 ({name}): query: {name} IN A + (10.0.0.53)\n"
    reading = read_bind(line.encode("latin-1"), times())
    assert {fact.address for fact in reading.facts if isinstance(fact, Contact)} <= {"10.0.0.5"}
    assert_every_line_is_accounted_for(reading, line.encode("latin-1"))


@needs("named")
@pytest.mark.parametrize("view", ["", "pupils"])
def test_what_a_real_named_wrote_is_who_asked_for_what(tmp_path: Path, view: str) -> None:
    channels = {
        "local": "print-time yes; print-category yes; print-severity yes;",
        "iso": "print-time iso8601;",
        "utc": "print-time iso8601-utc; print-category yes;",
    }
    with named(tmp_path, channels, zone="Europe/Zurich", view=view) as port:
        asked = ask_everything(port)
    now = datetime.now(UTC).timestamp()
    for name in channels:
        data = (tmp_path / name).read_bytes()
        reading = read_bind(data, LogTime(ZURICH, now=now))
        assert counted(reading) == asked, name
        assert set(reading.refused) == {"forged_name"}
        assert reading.newest is not None and now - 60 < reading.newest <= now
        assert_every_line_is_accounted_for(reading, data)


@pytest.mark.parametrize("head", ["dns webserver[9]: ", "webserver: named[9]: ", "dns named-sdb[9]: "])
@pytest.mark.parametrize("words", ["queries: info: ", ""])
def test_no_other_program_on_the_same_syslog_speaks_as_bind(head: str, words: str) -> None:
    asked = "client @0x7f1b 10.0.0.9#5353 (a.example): query: a.example IN A + (10.0.0.53)"
    reading = read_bind(f"Sep 14 08:31:02 {head}{words}{asked}\n".encode(), times())
    assert (reading.facts, reading.refused) == ([], {"malformed_line": 1})
