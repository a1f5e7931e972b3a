"""The dnsmasq source reads every dialect of its lines, and refuses the rest by reason."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.dnsmasq import read_dnsmasq
from edge_agent.sources.dnsmasq_columns import DnsmasqReader
from edge_agent.sources.facts import Contact, Lease
from edge_agent.sources.logtime import LogTime
from tests.edge_agent.resolver import ask, ask_raw, dnsmasq, needs_dnsmasq

NO_HARDWARE = "lease_without_hardware_address"
ZURICH = ZoneInfo("Europe/Zurich")


def seconds(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=ZURICH).timestamp())  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    "line",
    [
        "Sep 14 08:31:02 dnsmasq[1234]: query[A] app.bookcreator.com from 10.20.3.41",
        "Sep 14 08:31:02 dnsmasq[1234]: query[AAAA] app.bookcreator.com from 10.20.3.41",
        "Sep 14 08:31:02 dnsmasq[1234]: query[HTTPS] app.bookcreator.com from 10.20.3.41",
        "Sep 14 08:31:02 pi.hole dnsmasq[1234]: query[A] app.bookcreator.com from 10.20.3.41",
        "Sep 14 08:31:02 dnsmasq[1234]: 4711 10.20.3.41/51123 query[A] app.bookcreator.com from 10.20.3.41",
        "Sep 14 08:31:02 dnsmasq: query[A] app.bookcreator.com from 10.20.3.41",
        "2026-09-14T08:31:02+02:00 resolver dnsmasq[1234]: query[A] app.bookcreator.com from 10.20.3.41",
        "2026-09-14T08:31:02.123456+02:00 dnsmasq[1234]: query[A] app.bookcreator.com from 10.20.3.41",
    ],
)
def test_a_query_line_of_every_dialect_is_a_contact(line: str) -> None:
    reading = read_dnsmasq(line.encode() + b"\n", LogTime(ZURICH, year=2026))
    assert reading.facts == [Contact(seconds(2026, 9, 14, 8, 31, 2), "10.20.3.41", "app.bookcreator.com")]
    assert not reading.refused


@pytest.mark.parametrize(
    "words",
    [
        "forwarded app.bookcreator.com to 9.9.9.9",
        "reply app.bookcreator.com is 192.0.2.7",
        "cached app.bookcreator.com is 192.0.2.7",
        "gravity blocked ads.example.com is 0.0.0.0",
        "config mask.icloud.com is NXDOMAIN",
        "query[PTR] 1.2.0.192.in-addr.arpa from 10.20.3.41",
        "started, version 2.90 cachesize 150",
    ],
)
def test_other_lines_of_the_resolver_are_in_order_and_say_nothing(words: str) -> None:
    reading = read_dnsmasq(f"Sep 14 08:31:02 dnsmasq[1]: {words}\n".encode(), LogTime(ZURICH, year=2026))
    assert (reading.facts, reading.refused, reading.lines) == ([], {}, 1)


@pytest.mark.parametrize("number", ["", "2871345502 "])
def test_an_acknowledged_lease_tells_whose_address_it_is(number: str) -> None:
    line = f"Sep 14 08:30:00 dnsmasq-dhcp[9]: {number}DHCPACK(eth0) 10.20.3.41 A4:83:E7:12:34:56 iPad\n"
    reading = read_dnsmasq(line.encode(), LogTime(ZURICH, year=2026))
    assert reading.facts == [Lease(seconds(2026, 9, 14, 8, 30), "10.20.3.41", "a483e7123456")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("rubbish", "malformed_line"),
        ("Sep 14 08:31:02 named[1]: query", "malformed_line"),
        ("Sep 33 08:31:02 dnsmasq[1]: query[A] a.example from 10.0.0.1", "unreadable_time"),
        ("Sep 14 25:31:02 dnsmasq[1]: query[A] a.example from 10.0.0.1", "unreadable_time"),
        (
            "Sep 14 08:31:02 dnsmasq-dhcp[1]: DHCPACK(eth0) 10.0.0.1 not-hardware",
            NO_HARDWARE,
        ),
        ("Sep 14 08:31:02 dnsmasq[1]: query[A] " + "a" * 5000 + " from 10.0.0.1", "line_too_long"),
    ],
)
def test_what_cannot_be_used_is_refused_by_reason_and_shown_by_shape_only(line: str, reason: str) -> None:
    good = "Sep 14 08:31:02 dnsmasq[1]: query[A] a.example from 10.0.0.1"
    reading = read_dnsmasq(f"{line}\n{good}\n".encode(), LogTime(ZURICH, year=2026))
    assert reading.refused == {reason: 1}
    assert len(reading.facts) == 1, "the good line after it is not lost"
    (kept,) = reading.excerpts
    assert kept[0] == reason
    assert not any(character.isalpha() and character != "a" for character in kept[1])


def test_a_line_without_a_year_belongs_to_the_last_time_it_can_have_been() -> None:
    newyear = datetime(2027, 1, 1, 0, 5, tzinfo=UTC).timestamp()
    times = LogTime(ZURICH, now=newyear)
    assert times.seconds(b"Dec 31 23:59:00") == seconds(2026, 12, 31, 23, 59)
    assert times.seconds(b"Jan  1 00:30:00") == seconds(2027, 1, 1, 0, 30)


def test_the_hour_that_a_clock_change_repeats_goes_forward() -> None:
    times = LogTime(ZURICH, year=2026)  # clocks go back at 03:00 on 25 October
    read_ = [times.seconds(text) for text in (b"Oct 25 02:10:00", b"Oct 25 02:59:59", b"Oct 25 02:10:01")]
    assert None not in read_
    first, second, third = (value for value in read_ if value is not None)
    assert first < second < third
    assert third - second == 10 * 60 + 2


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_can_stop_the_parser(data: bytes) -> None:
    good = b"Sep 14 08:31:02 dnsmasq[1]: query[A] a.example from 10.0.0.1\n"
    reading = read_dnsmasq(data + b"\n" + good, LogTime(ZURICH, year=2026))
    assert reading.facts[-1] == Contact(seconds(2026, 9, 14, 8, 31, 2), "10.0.0.1", "a.example")


NOW = datetime(2026, 9, 14, 8, tzinfo=UTC).timestamp()
QUERY = "{} dnsmasq[1]: query[A] a.example from 10.0.0.1\n"


def test_a_line_from_the_future_does_not_say_how_far_the_log_has_come() -> None:
    stamps = ("2026-09-14T07:00:00Z", "2031-01-01T00:00:00Z", "2026-09-14T06:59:00Z")
    reading = read_dnsmasq("".join(map(QUERY.format, stamps)).encode(), LogTime(ZURICH, now=NOW))
    assert reading.newest == NOW - 3600
    assert len(reading.facts) == 3, "it is the collector that refuses what lies in the future"


def test_a_clock_that_is_some_hours_ahead_is_believed() -> None:
    reading = read_dnsmasq(QUERY.format("2026-09-15T07:59:59Z").encode(), LogTime(ZURICH, now=NOW))
    assert reading.newest == NOW + 86399


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59"])
def test_a_time_that_no_signal_can_have_is_refused(stamp: str) -> None:
    reading = read_dnsmasq(QUERY.format(stamp).encode(), LogTime(ZURICH, now=NOW))
    assert (reading.facts, reading.newest, reading.refused) == ([], None, {"unreadable_time": 1})


def test_a_name_that_imitates_a_log_line_speaks_for_nobody() -> None:
    line = b"Sep 14 08:31:02 dnsmasq[1]: query[A] app.bookcreator.com from 10.0.0.9 from 10.0.0.5\n"
    reading = read_dnsmasq(line, LogTime(ZURICH, year=2026))
    assert (reading.facts, reading.refused) == ([], {"forged_name": 1})


@needs_dnsmasq
@pytest.mark.parametrize("options", [(), ("--log-queries=extra",)])
def test_a_name_forged_through_a_real_dnsmasq_speaks_for_nobody(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    log = tmp_path / "log"
    with dnsmasq(log, *options) as port:
        ask_raw(port, "127.0.0.5", [b"app", b"bookcreator", b"com from 127", b"0", b"0", b"9"])
        ask(port, "127.0.0.5", "padlet.com")
    reading = read_dnsmasq(log.read_bytes(), LogTime(ZURICH))
    asked = {(fact.address, fact.name) for fact in reading.facts if isinstance(fact, Contact)}
    assert asked <= {("127.0.0.5", "padlet.com"), ("127.0.0.1", "up.invalid")}
    assert ("127.0.0.5", "padlet.com") in asked


@pytest.mark.parametrize(
    "words",
    [
        "dnsmasq[9]: query[A] a.example from 10.0.0.9",
        "dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.9 02:00:00:00:00:09",
    ],
)
def test_no_other_program_on_the_same_syslog_speaks_as_dnsmasq(words: str) -> None:
    line = f"Sep 14 08:31:02 webserver: {words}\n".encode()
    for read in (read_dnsmasq, DnsmasqReader()):
        reading = read(line, LogTime(ZURICH, year=2026))
        assert (reading.all_facts(), reading.refused) == ([], {"malformed_line": 1})
