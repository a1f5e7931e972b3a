"""dnsmasq's log in columns holds exactly what it holds line by line, whatever the bytes are."""

import random
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.dnsmasq import read_dnsmasq, read_line
from edge_agent.sources.dnsmasq_columns import ENTRY_BYTES, FEW_BYTES, MEMO_BYTES, DnsmasqReader
from edge_agent.sources.facts import Reading
from edge_agent.sources.logtime import LogTime

ZURICH = ZoneInfo("Europe/Zurich")
NOW = datetime(2026, 10, 25, 12, tzinfo=ZURICH).timestamp()
FILLING = b"Sep 14 08:31:02 dnsmasq[1]: forwarded padlet.com to 9.9.9.9\n" * (FEW_BYTES // 60 + 1)

TIMES = (
    *(b"Sep 14 08:31:02", b"Sep 14 08:31:03", b"Sep 14 09:00:00", b"Sep  4 23:59:59", b"Dec 24 23:59:60"),
    *(b"Oct 25 02:10:00", b"Oct 25 02:59:59", b"Oct 25 01:59:59", b"Mar 29 02:30:00", b"Sep 33 08:00:00"),
    *(b"Feb 29 12:00:00", b"Sep 14 25:00:00", b"Sep 14 08:61:00", b"Sep 14 0x:10:00", b"Oct 28 11:59:00"),
    *(b"Sep 24 08:31:02", b"Oct 14 08:31:02", b"2026-09-15T08:31:02+02:00", b"2026-09-14T08:31:02+01:00"),
    *(b"Oct 25 03:00:01", b"2026-10-25T03:30:00"),
    *(b"2026-09-14T08:31:02+02:00", b"2026-09-14T08:31:02.123456+02:00", b"2026-09-14T08:31:02.999Z"),
    *(b"2026-09-14T08:31:02", b"2026-10-25T02:30:00", b"2031-01-01T00:00:00Z", b"1969-12-31T23:59:59.500Z"),
    *(b"2026-09-14T08:31:02.12+02:00", b"2026-09-14T08:31:02.1x3Z", b"0001-01-01T00:00:00Z"),
)
HEADS = (
    *(b"dnsmasq[1]:", b"dnsmasq[1234]:", b"pi.hole dnsmasq[99]:", b"host pihole-FTL[7]:", b"dnsmasq:"),
    *(b"dnsmasq: dnsmasq:", b"dnsmasq-dhcp[9]:", b"dnsmasq-tftp[9]:", b"named[1]:", b"a[1] dnsmasq[1]:"),
)
SERIALS = (
    *(b"", b"", b"", b"4711 ", b"4711 10.20.3.41/51123 ", b"4711 10.20.3.41/ ", b"12"),
    b"4711 fd00::1234:5678:9abc:def0/51123 ",
)
WORDS = (
    *(b"query[A] padlet.com from 10.20.3.41", b"query[AAAA] padlet.com from 10.20.3.41"),
    *(b"query[HTTPS] app.bookcreator.com from 10.1.1.9", b"query[SVCB] a.b from 1.1.1.1"),
    *(b"query[type=65] x.org from fd00::1234:5678:9abc:def0", b"query[PTR] 1.2.3.in-addr.arpa from 10.0.0.1"),
    *(b"query[A] from 10.0.0.1", b"query[A]  from 10.0.0.1", b"query[A] x from unknown", b"query[A] x from "),
    *(b"query[A] a from 10.0.0.9 from 10.0.0.5", b"query[A] x from ::1\r", b"query[A] x from 10.0.0.1\r\r"),
    *(b"query[A] " + b"n" * 300 + b" from 10.0.0.1", b"query[A] " + b"n" * 5000 + b" from 10.0.0.1"),
    *(b"query[A] thirty-three.characters.are.too.m from 10.0.0.1", b"query[A] \xff\0x from 10.0.0.1\0"),
    *(b"query[A] x from 1", b"query[A] " + b"n" * 300 + b" from 1"),
    *(b"forwarded padlet.com to 9.9.9.9", b"reply padlet.com is 192.0.2.7", b"", b" ", b"query[A]", b"q"),
    *(b"DHCPACK(eth0) 10.20.3.41 A4:83:E7:12:34:56 iPad", b"DHCPACK(eth0) 10.20.3.41 a4:83:e7:12:34:57"),
    *(
        b"DHCPACK(eth0) 10.0.0.1 not-hardware",
        b"DHCPACK(eth0)",
        b"DHCPREQUEST(eth0) 10.0.0.1 a4:83:e7:12:34:56",
    ),
)
plain = st.builds(
    lambda time, head, serial, words: time + b" " + head + b" " + serial + words,
    *map(st.sampled_from, (TIMES, HEADS, SERIALS, WORDS)),
)
good = st.builds(
    lambda second, words: b"Sep 14 08:31:%02d dnsmasq[1]: %b" % (second, words),
    st.integers(0, 59),
    st.sampled_from(WORDS),
)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    line = bytearray(draw(plain))
    at = draw(st.integers(0, max(len(line) - 1, 0)))
    what = draw(st.sampled_from(("replace", "insert", "delete")))
    if what == "insert":
        line[at:at] = draw(st.binary(max_size=3))
    elif line and what == "replace":
        line[at] = draw(st.integers(0, 255))
    else:
        del line[at : at + draw(st.integers(1, 9))]
    return bytes(line)


lines = st.lists(st.one_of(good, good, plain, changed(), st.binary(max_size=60)), max_size=40)


def everything(reading: Reading, times: LogTime) -> tuple[object, ...]:
    told = (reading.lines, reading.newest, reading.refused, reading.passed_over, reading.excerpts)
    later = times.seconds(b"Oct 25 02:15:00"), times.seconds(b"Oct 25 02:45:00")  # it depends on lines before
    return reading.all_facts(), *told, later


@settings(derandomize=True, max_examples=600, deadline=None)
@given(
    st.lists(st.tuples(lines, st.sampled_from([0, len(FILLING) // 2, len(FILLING)])), min_size=1, max_size=3),
    st.booleans(),
    st.sampled_from([None, 2026]),
)
def test_a_reading_in_columns_is_the_reading_line_by_line(
    chunks: list[tuple[list[bytes], int]], ends: bool, year: int | None
) -> None:
    read = DnsmasqReader()
    apart, together = LogTime(ZURICH, year=year, now=NOW), LogTime(ZURICH, year=year, now=NOW)
    for chunk, before in chunks:
        data = FILLING[:before] + b"\n" + b"\n".join(chunk) + b"\n" + FILLING[before:]
        data = data if ends else data.rstrip(b"\n")
        found, wanted = read(data, together), read_dnsmasq(data, apart)
        assert found.contacts is not None
        assert everything(found, together) == everything(wanted, apart)


CLOCKS = [b"%02d:%02d:01" % (hour, minute) for hour in (2, 3) for minute in (10, 40)]
SYSLOG = [day + b" " + clock for day in (b"Sep 14", b"Sep 24", b"Oct 25") for clock in CLOCKS]
ISO = [day + b"T" + clock for day in (b"2026-09-14", b"2026-09-15", b"2026-10-25") for clock in CLOCKS]
PROCESSES = (b" dnsmasq[1]: ", b" a.host dnsmasq-dhcp[9]: ", b" " + b"h" * 80 + b" dnsmasq[1]: ")


@pytest.mark.parametrize("zones", [[b""], [b"+02:00", b"Z"]])
@pytest.mark.parametrize("seed", range(40))
def test_lines_of_one_process_cut_anywhere_are_read_as_each_is_alone(seed: int, zones: list[bytes]) -> None:
    pick = random.Random(seed)
    # Many lines that begin alike: only then is any of them compared with the one before.
    iso = [time + zone for time in ISO for zone in zones]
    times = pick.sample(SYSLOG, 3) + pick.sample(iso, 6)
    log = b"".join(
        pick.choice(times) + pick.choice(PROCESSES) + pick.choice(SERIALS) + pick.choice(WORDS)[:400] + b"\n"
        for _ in range(700)
    )
    cuts = [log.index(b"\n", pick.randrange(len(log))) for _ in range(5)] + [pick.randrange(len(log))]
    read = DnsmasqReader()
    apart, together = LogTime(ZURICH, year=2026, now=NOW), LogTime(ZURICH, year=2026, now=NOW)
    for begin, end in pairwise([0, *sorted(cuts), len(log)]):
        found, wanted = read(log[begin:end], together), read_dnsmasq(log[begin:end], apart)
        assert everything(found, together) == everything(wanted, apart)


def test_what_was_read_at_once_tells_which_pass_of_the_repeated_hour_comes_next() -> None:
    # A line as long as this one is read with the others even where it is the last.
    log = FILLING + b"Oct 25 03:31:02 dnsmasq[1]: query[A] " + b"n" * 200 + b" from 10.0.0.1\n"
    apart, together = LogTime(ZURICH, year=2026, now=NOW), LogTime(ZURICH, year=2026, now=NOW)
    found, wanted = DnsmasqReader()(log, together), read_dnsmasq(log, apart)
    assert everything(found, together) == everything(wanted, apart)


def test_every_line_that_is_right_is_read_without_its_expression(monkeypatch: pytest.MonkeyPatch) -> None:
    right = [
        words for words in WORDS if words.startswith((b"query[A] padlet", b"query[H", b"DHCPACK(eth0) 10.20"))
    ]
    log = FILLING + b"".join(
        b"Sep 14 08:31:%02d dnsmasq%b[1]: %b\n" % (i, b"-dhcp" if words[:1] == b"D" else b"", words)
        for i in range(60)
        for words in right
    )
    slow: list[bytes] = []

    def remember(reading: Reading, line: bytes, times: LogTime) -> int | None:
        slow.append(line)
        return read_line(reading, line, times)

    monkeypatch.setattr("edge_agent.sources.dnsmasq_columns.read_line", remember)
    reading = DnsmasqReader()(log, LogTime(ZURICH, year=2026))
    assert len(reading.all_facts()) == 60 * len(right)
    assert len(slow) <= 2, "lines near the end of a chunk, where eight bytes more may be none"


SAMPLES = Path(__file__).parent / "samples"


@pytest.mark.parametrize("name", ["dnsmasq.log", "pihole.log"])
def test_recorded_lines_are_read_alike(name: str) -> None:
    log = (SAMPLES / name).read_bytes() * 30
    apart, together = LogTime(ZURICH, year=2026), LogTime(ZURICH, year=2026)
    found, wanted = DnsmasqReader()(log, together), read_dnsmasq(log, apart)
    assert found.contacts is not None and len(found.contacts)
    assert everything(found, together) == everything(wanted, apart)


def test_names_without_end_do_not_fill_the_memory() -> None:
    read, times = DnsmasqReader(), LogTime(ZURICH, year=2026)
    tables = set()
    for chunk in range(40):
        log = b"".join(
            b"Sep 14 08:31:02 dnsmasq[1]: query[A] %d.%d.example from 10.0.0.1\n" % (chunk, i)
            for i in range(5000)
        )
        contacts = read(log, times).contacts
        assert contacts is not None
        tables.add(id(contacts.names))
        assert len(contacts.names) <= MEMO_BYTES // ENTRY_BYTES + 5000
    assert len(tables) > 1
