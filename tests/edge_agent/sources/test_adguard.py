"""The AdGuard Home source reads its query log, and leaves out what was blocked or anonymised."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.adguard import read_adguard
from edge_agent.sources.facts import Contact
from edge_agent.sources.logtime import LogTime
from tests.edge_agent.sources.asking import SAMPLES, assert_every_line_is_accounted_for

AT = 1789367462  # 14 September 2026, 08:31:02 in Zurich


def times() -> LogTime:
    return LogTime(ZoneInfo("Europe/Zurich"), year=2026)


def entry(**other: Any) -> bytes:
    """A line as AdGuard Home writes it, with some members changed."""
    usual = {
        "T": "2026-09-14T08:31:02.123456789+02:00",
        "QH": "padlet.com",
        "QT": "A",
        "QC": "IN",
        "CP": "",
        "Upstream": "https://dns.example:443/dns-query",
        "Answer": "AAeBgAABAAAAAAAA",
        "IP": "10.20.3.41",
        "Result": {},
        "Elapsed": 1234,
    }
    return json.dumps(usual | other).encode() + b"\n"


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"T": "2026-09-14T06:31:02Z"},
        {"QT": "HTTPS", "Cached": True, "AD": True},
        {"QT": "TYPE65", "CP": "doh", "CID": "anna-ipad", "ECS": "10.20.3.0/24"},
        {"Result": {"Reason": 1, "Rules": [{"FilterListID": 1, "Text": "@@||padlet.com^"}]}},
        {"Result": {"Reason": 7, "IsFiltered": True, "CanonName": "safe.example"}},
        {"Result": {"Reason": 9, "IPList": ["192.0.2.9"]}},
    ],
)
def test_a_question_that_was_answered_is_a_contact(other: dict[str, Any]) -> None:
    reading = read_adguard(entry(**other), times())
    assert reading.facts == [Contact(AT, "10.20.3.41", "padlet.com")]
    assert (reading.newest, reading.refused, reading.passed_over) == (AT, {}, {})


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        *(({"Result": {"IsFiltered": True, "Reason": number}}, "blocked") for number in (3, 4, 5, 6, 8)),
        ({"QT": "PTR"}, "query_type"),
        ({"QC": "CH"}, "query_type"),
        ({"QH": ""}, "no_name"),
        ({"QH": "."}, "no_name"),
        *(({"IP": ip}, "anonymised") for ip in ("10.20.0.0", "2001:db8:20::", "fd00::", "::")),
    ],
)
def test_what_says_nothing_of_use_is_passed_over_by_reason(other: dict[str, Any], reason: str) -> None:
    reading = read_adguard(entry(**other), times())
    assert (reading.facts, reading.refused, reading.passed_over) == ([], {}, {reason: 1})


@pytest.mark.parametrize("address", ["10.20.0.1", "10.20.30.0", "2001:db8:20::41", "fe80::1"])
def test_an_address_that_only_resembles_an_anonymised_one_counts(address: str) -> None:
    assert read_adguard(entry(IP=address), times()).facts == [Contact(AT, address, "padlet.com")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"rubbish\n", "malformed_line"),
        (b"[" * 8000 + b"\n", "malformed_line"),
        (b'{"a":' * 1600 + b"\n", "malformed_line"),
        (b'{"T":1}\n', "malformed_line"),
        (b'{"T":"2026-09-14T08:31:02Z","QH":"\\ud800","QT":"A","IP":"10.0.0.1"}\n', "malformed_line"),
        (entry(IP="10.20.3.41 x"), "malformed_line"),
        (entry(IP=None), "malformed_line"),
        (entry(Result={"IsFiltered": "yes"}), "malformed_line"),
        (entry(T="Sep 14 08:31:02"), "unreadable_time"),
        (entry(T="2026-13-14T08:31:02Z"), "unreadable_time"),
        (entry(QH="a\x00b.example"), "forged_name"),
        (entry(QH="a" * 300), "forged_name"),
        (entry(Answer="A" * 9000), "line_too_long"),
    ],
)
def test_what_cannot_be_used_is_refused_and_the_good_line_after_it_is_not_lost(
    line: bytes, reason: str
) -> None:
    reading = read_adguard(line + entry(), times())
    assert reading.refused == {reason: 1}
    assert len(reading.facts) == 1


def test_nothing_but_address_and_name_of_a_client_is_kept() -> None:
    reading = read_adguard(entry(CID="anna-ipad", Upstream="https://secret.example"), times())
    assert reading.facts == [Contact(AT, "10.20.3.41", "padlet.com")]


def test_every_line_of_the_sample_is_accounted_for() -> None:
    data = (SAMPLES / "adguard.log").read_bytes()
    reading = read_adguard(data, times())
    assert_every_line_is_accounted_for(reading, data)
    assert (len(reading.facts), reading.refused) == (5, {"forged_name": 1})


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(max_size=80), st.booleans())
def test_whatever_a_name_holds_nobody_speaks_for_another_address(name: str, escaped: bool) -> None:
    line = json.dumps({"T": "2026-09-14T08:31:02Z", "QH": name, "QT": "A", "QC": "IN", "IP": "10.0.0.5"})
    if not escaped:
        line = line.encode().decode("unicode_escape").replace("\n", "")
    data = line.encode("utf-8", "surrogatepass") + b"\n"
    reading = read_adguard(data, times())
    assert {fact.address for fact in reading.facts if isinstance(fact, Contact)} <= {"10.0.0.5"}
    assert_every_line_is_accounted_for(reading, data)
