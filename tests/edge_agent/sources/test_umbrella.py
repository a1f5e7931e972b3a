"""Cisco Umbrella's DNS log tells who asked for what, by the address inside the school."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.facts import Contact, Reading, Visit
from edge_agent.sources.logtime import LogTime
from edge_agent.sources.umbrella import UmbrellaReader

T = 1421430521  # 2015-01-16 17:48:41 UTC
FIRST = (
    '"2015-01-16 17:48:41","CanaryUser","CanaryUser,CanarySite,Network","10.10.1.100","24.123.132.133",'
    '"Allowed","1 (A)","NOERROR","domain-visited.com.","Chat,Photo Sharing"'
)
LATER = FIRST + ',"AD Users","AD Users,Sites,Networks",""'
HEADER = (
    "timestamp,most granular identity,identities,internal ip,external ip,action,query type,response code,"
    "domain,categories,most granular identity type,identity types,blocked categories"
)


def read(*lines: str) -> Reading:
    """What a fresh reader makes of these lines; the school's zone does not matter."""
    return UmbrellaReader()(
        "".join(f"{line}\n" for line in lines).encode(), LogTime(ZoneInfo("America/Denver"))
    )


def visit(identity: str, type_: str) -> str:
    """A line without an internal address."""
    return (
        LATER.replace('"10.10.1.100"', '""')
        .replace('"CanaryUser"', f'"{identity}"')
        .replace("AD Users", type_, 1)
    )


@pytest.mark.parametrize("line", [FIRST, LATER, f'{LATER},"4711","CH","1"', LATER.replace('","', '", "')])
def test_lines_of_every_version_tell_a_contact(line: str) -> None:
    assert read(line).facts == [Contact(T, "10.10.1.100", "domain-visited.com")]


def test_a_header_line_is_not_counted_and_says_where_the_columns_are() -> None:
    swapped = HEADER.replace("internal ip,external ip", "external ip,internal ip")
    line = LATER.replace('"10.10.1.100","24.123.132.133"', '"24.123.132.133","10.10.1.100"')
    reading = read(swapped, line, swapped.title(), line)
    assert (reading.lines, reading.facts) == (2, [Contact(T, "10.10.1.100", "domain-visited.com")] * 2)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (FIRST.replace("Allowed", "Blocked"), "blocked"),
        (FIRST.replace("1 (A)", "16 (TXT)"), "query_type"),
        (FIRST.replace("domain-visited.com.", ""), "no_name"),
        (FIRST.replace("10.10.1.100", ""), "no_internal_address"),
        (visit("Elm Street School", "Networks"), "no_internal_address"),
    ],
)
def test_what_says_nothing_of_use_is_passed_over(line: str, reason: str) -> None:
    assert (read(line).facts, read(line).passed_over) == ([], {reason: 1})


@pytest.mark.parametrize("query", ["1 (A)", "28 (AAAA)", "65 (HTTPS)", "A", "65"])
def test_the_queries_that_come_before_a_visit_count(query: str) -> None:
    assert len(read(FIRST.replace("1 (A)", query)).facts) == 1


def test_an_identity_is_read_only_where_no_address_says_who_it_was_and_it_is_a_users() -> None:
    assert read(visit("jdoe@school.example", "AD Users")).facts == [
        Visit(T, "jdoe@school.example", "domain-visited.com")
    ]
    assert read(visit("Jane Doe (jdoe@school.example)", "AD User")).facts == [
        Visit(T, "jdoe@school.example", "domain-visited.com")
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (FIRST.replace("17:48:41", "25:48:41"), "unreadable_time"),
        (FIRST.replace("10.10.1.100", "canary-ipad"), "bad_address"),
        (FIRST.rpartition(",")[0].rpartition(",")[0], "wrong_columns"),
        (FIRST.replace('"Allowed"', '"Allowed'), "malformed_line"),
        (FIRST.replace("Chat", "Ch\0at"), "control_bytes"),
        ("," * 500, "too_many_columns"),
        ("," * 10_000, "line_too_long"),
    ],
)
def test_what_is_broken_is_refused_and_the_next_line_is_read(line: str, reason: str) -> None:
    reading = read(line, FIRST)
    assert (reading.refused, len(reading.facts), reading.lines) == ({reason: 1}, 1, 2)


def test_a_log_in_utf_16_is_refused_by_name() -> None:
    reading = UmbrellaReader()(f"{FIRST}\n".encode("utf-16"), LogTime(ZoneInfo("UTC")))
    assert reading.facts == [] and "utf_16" in reading.refused


def test_no_name_of_a_person_or_place_passes_the_parser() -> None:
    reading = read(HEADER, LATER, LATER.replace("1 (A)", "CanaryType"), f"{LATER[:-1]}Canary")
    assert "canary" not in repr(reading).lower()


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from([FIRST, LATER, HEADER, '"', ","]), st.text(max_size=40)), max_size=8)
)
def test_no_text_breaks_the_reader_and_every_counted_line_has_a_fate(lines: list[str]) -> None:
    reading = UmbrellaReader()("\n".join(lines).encode("utf-8", "replace"), LogTime(ZoneInfo("UTC")))
    fates = len(reading.facts) + sum(reading.refused.values()) + sum(reading.passed_over.values())
    assert reading.lines == fates
