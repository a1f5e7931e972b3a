"""The resolver's log reads like dnsmasq's own."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from demo.day import SchoolDay
from demo.dnsmasq_log import Ack, LogStamps, Query, Resolver, render_leases
from demo.presence import day_span, presences
from demo.school import School
from tests.demo.conftest import MONDAY

STAMP = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 123]\d \d\d:\d\d:\d\d"
ADDRESS = r"\d{1,3}(\.\d{1,3}){3}"
NAME = r"[A-Za-z0-9_.-]+"
SERIAL = rf"(\d+ {ADDRESS}/\d+ )?"
# Written from the sources of dnsmasq 2.90 and its output, not from the renderer.
QUERY = re.compile(rf"{STAMP} dnsmasq\[\d+\]: {SERIAL}query\[(A|AAAA|HTTPS)\] {NAME} from {ADDRESS}")
ANSWER = re.compile(
    rf"{STAMP} dnsmasq\[\d+\]: {SERIAL}"
    rf"(forwarded {NAME} to {ADDRESS}|reply error is REFUSED|"
    rf"(reply|cached|config) {NAME} is ({ADDRESS}|<CNAME>|NODATA|NODATA-IPv6|NXDOMAIN))"
)
HARDWARE = r"([0-9a-f]{2}:){5}[0-9a-f]{2}"
LEASE = re.compile(
    rf"{STAMP} dnsmasq-dhcp\[\d+\]: (\d+ )?"
    rf"(DHCPDISCOVER\(eth0\) {HARDWARE}|DHCP(OFFER|REQUEST)\(eth0\) {ADDRESS} {HARDWARE}|"
    rf"DHCPACK\(eth0\) {ADDRESS} {HARDWARE} \S+|client provides name: \S+)"
)


def _lines(day: SchoolDay) -> list[str]:
    return b"".join(day.blocks).decode("utf-8", "replace").splitlines()


def test_all_but_a_few_lines_parse_by_an_independent_reading_of_the_format(
    mondays: dict[str, SchoolDay],
) -> None:
    for day in mondays.values():
        lines = _lines(day)
        odd = [x for x in lines if not (QUERY.fullmatch(x) or ANSWER.fullmatch(x) or LEASE.fullmatch(x))]
        assert 0 < len(odd) < len(lines) / 500


def test_lines_are_in_order_of_time_and_every_event_has_its_block(
    mondays: dict[str, SchoolDay], zone: ZoneInfo
) -> None:
    start, end = day_span(MONDAY, zone)
    for day in mondays.values():
        assert day.times == sorted(day.times)
        assert len(day.times) == len(day.blocks)
        assert start <= day.times[0] <= day.times[-1] < end
        stamps = [line[:15] for line in _lines(day) if QUERY.fullmatch(line)]
        assert stamps == sorted(stamps)


def test_only_the_high_schools_resolver_is_wordy(mondays: dict[str, SchoolDay]) -> None:
    serials = {
        slug: sum(bool(match and match.group(2)) for match in map(QUERY.fullmatch, _lines(day)))
        for slug, day in mondays.items()
    }
    assert serials["cedar-high-school"] > 1000
    assert serials["alder-primary-school"] == serials["birch-middle-school"] == 0


def test_no_address_asks_before_its_lease_and_leases_tell_the_hardware_that_asks(
    schools: tuple[School, ...], mondays: dict[str, SchoolDay], zone: ZoneInfo
) -> None:
    for school in schools:
        staying = {p.address for p in presences(school, MONDAY, zone) if not p.arrives}
        leased: set[str] = set(staying)
        for line in _lines(mondays[school.slug]):
            ack = re.search(rf"DHCPACK\(eth0\) ({ADDRESS}) ", line)
            if ack:
                leased.add(ack.group(1))
            elif QUERY.fullmatch(line):
                assert line.rsplit(" ", 1)[1] in leased


def test_sleeping_ipads_talk_at_night_and_at_weekends(
    schools: tuple[School, ...], mondays: dict[str, SchoolDay], zone: ZoneInfo
) -> None:
    start, _ = day_span(MONDAY, zone)
    night = mondays["alder-primary-school"].log(start, start + 4 * 3600).decode("utf-8", "replace")
    asked = {match.group(0).split()[-3] for match in map(QUERY.fullmatch, night.splitlines()) if match}
    assert "gateway.icloud.com" in asked
    assert "mask.icloud.com" in asked
    saturday = presences(schools[0], date(2026, 9, 19), zone)
    assert saturday
    assert all(presence.device.stays for presence in saturday)


def test_private_relay_is_refused_by_name(mondays: dict[str, SchoolDay]) -> None:
    lines = [line for day in mondays.values() for line in _lines(day) if " mask.icloud.com " in line]
    answers = [line for line in lines if "query[" not in line]
    assert answers
    assert all(line.endswith("config mask.icloud.com is NXDOMAIN") for line in answers)


def test_stamps_are_local_times_through_the_end_of_daylight_saving(zone: ZoneInfo) -> None:
    stamps = LogStamps(zone)
    first = int(datetime(2026, 11, 1, 0, 59, 59, tzinfo=zone).timestamp())
    assert [stamps(first + 3600 * i) for i in range(4)] == [
        "Nov  1 00:59:59",
        "Nov  1 01:59:59",
        "Nov  1 01:59:59",
        "Nov  1 02:59:59",
    ]


def test_an_answer_is_cached_until_its_time_is_over(zone: ZoneInfo) -> None:
    resolver = Resolver(zone, np.random.default_rng(1), pid=1, wordy=False)
    noon = int(datetime(2026, 9, 14, 12, tzinfo=zone).timestamp())
    moments = (noon, noon + 1, noon + 3600)
    blocks = resolver.blocks([Query(t, "10.20.1.20", "khanacademy.org") for t in moments])
    words = [block.split(b"\n")[1].split(b": ")[1].split()[0] for block in blocks]
    assert words == [b"forwarded", b"cached", b"forwarded"]


def test_the_lease_file_holds_each_devices_last_lease() -> None:
    acks = [Ack(100, "10.0.0.1", "aa:bb", "iPad", True), Ack(200, "10.0.0.2", "aa:bb", "iPad", False)]
    assert render_leases(acks) == "29000 aa:bb 10.0.0.2 iPad 01:aa:bb\n"
