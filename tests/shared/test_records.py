"""A record that no school could have made is refused by its form alone, on both sides of the link."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.records import GRADE_BANDS, decode, is_time
from shared.words import SOURCE_KINDS

PROBS = [0.2] * 5
PLACEMENT = {"model": "tim", "dimension": "active", "version": "1", "probs": PROBS, "verdict": "thin"}
LESSON: dict[str, Any] = {
    "kind": "lesson",
    "school": "Alder Primary",
    "class": "7f3k",
    "start": "2025-09-01T09:00:00+02:00",
    "minutes": 45,
    "grade_band": "3-5",
    "subject": "Science",
    "devices": 20,
    "expected": 24,
    "evidence": 310.0,
    "visibility": 0.6,
    "sources": ["dnsmasq"],
    "feature_set": "1",
    "features": {},
    "strip": [{"consume": 0.4}],
    "placements": [PLACEMENT],
    "revision": 1,
}
JUDGED = {"placed": 0, "thin": 0, "evidence_only": 10}
WEEK_PLACEMENT = {"model": "tim", "dimension": "active", "version": "1", "expected": [2.0] * 5, **JUDGED}
WEEK: dict[str, Any] = {
    "kind": "week",
    "school": "Alder Primary",
    "week": "2025-W36",
    "grade_band": "3-5",
    "lessons": 10,
    "classes": 4,
    "teachers": 3,
    "devices": 25,
    "evidence": 1000.0,
    "visibility": 0.5,
    "sources": ["dnsmasq"],
    "features": {},
    "placements": [WEEK_PLACEMENT],
}
STATUS: dict[str, Any] = {
    "kind": "status",
    "school": "Alder Primary",
    "sources": [{"kind": "dnsmasq", "fresh": "2025-09-01T09:44:00Z"}],
    "backlog": 0,
    "version": "0.1.0",
}


def reason(record: dict[str, Any], **changes: object) -> str | None:
    """Why a record with these changes is refused, or None."""
    changes = {name.rstrip("_"): value for name, value in changes.items()}
    try:
        decode(msgspec.json.encode(record | changes))
    except BadInput as error:
        return error.reason
    return None


def placed(**changes: object) -> list[dict[str, Any]]:
    """The week's one placement, changed."""
    return [WEEK_PLACEMENT | changes]


def test_what_schools_send_is_taken() -> None:
    assert [reason(record) for record in (LESSON, WEEK, STATUS)] == [None, None, None]


@pytest.mark.parametrize(
    "week",
    [
        "2025-W36\n",
        "２０２５-W３６",
        "٢٠٢٥-W٣٦",
        " 2025-W36",
        "2025-w36",
        "2025-W1",
    ],
)
def test_a_week_is_written_in_one_way_only(week: str) -> None:
    assert reason(WEEK, week=week) == "record_malformed"


@pytest.mark.parametrize("week", ["9999-W52", "0001-W01", "2014-W52", "2100-W01"])
def test_no_week_lies_in_another_age(week: str) -> None:
    assert reason(WEEK, week=week) == "record_year"


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ("2025-09-01T09:00:00+02:00\n", "record_time"),
        ("２０２５-09-01T09:00:00Z", "record_time"),
        ("2025-09-01T٠٩:00:00Z", "record_time"),
        ("2025-02-30T09:00:00Z", "record_time"),
        ("2025-09-01 09:00:00Z", "record_time"),
        ("9999-12-31T23:59:59-23:59", "record_year"),
        ("0001-01-01T00:00:00+23:59", "record_year"),
    ],
)
def test_a_lesson_starts_at_a_time_written_in_one_way(start: str, why: str) -> None:
    assert reason(LESSON, start=start) == why


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(max_size=30) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)\n?"))
def test_what_passes_for_a_time_is_ascii_and_says_its_offset(text: str) -> None:
    if is_time(text):
        assert text.isascii()
        assert len(text) == (20 if text.endswith("Z") else 25)


@pytest.mark.parametrize("code", ["abc\n", "abc\r\n", "", "-abc", "a b", "ａｂｃ"])
def test_a_class_code_is_one_plain_word(code: str) -> None:
    assert reason(LESSON, class_=code) == "record_malformed"


def test_grade_bands_are_a_closed_list() -> None:
    assert [reason(WEEK, grade_band=band) for band in GRADE_BANDS] == [None] * len(GRADE_BANDS)
    for band in ("K-5", "3-5\n", "b1", "", "13"):
        assert reason(WEEK, grade_band=band) == "record_malformed"
        assert reason(LESSON, grade_band=band) == "record_malformed"


@pytest.mark.parametrize("expected", [[], [10.0], [0.5] * 17])
def test_a_scale_has_at_least_two_stages_and_not_hundreds(expected: list[float]) -> None:
    assert reason(WEEK, placements=placed(expected=expected)) == "record_malformed"


def test_expected_lessons_are_no_more_than_lessons() -> None:
    assert reason(WEEK, placements=placed(expected=[3.0] * 5)) == "record_expected"


@pytest.mark.parametrize("name", ["lessons", "classes", "teachers", "devices"])
def test_a_week_has_at_most_ten_thousand_of_anything(name: str) -> None:
    many = {
        "lessons": 10_000,
        "classes": 1_000,
        "placements": placed(evidence_only=10_000, expected=[2_000.0] * 5),
    }
    assert reason(WEEK, **many | {name: 10_000}) is None
    assert reason(WEEK, **many | {name: 10_001}) == "record_malformed"


def test_each_kind_of_source_is_named_once() -> None:
    assert reason(LESSON, sources=list(SOURCE_KINDS)) is None
    assert reason(LESSON, sources=["dnsmasq", "dnsmasq"]) == "record_source_twice"
    assert reason(WEEK, sources=["dnsmasq", "dnsmasq"]) == "record_source_twice"
    assert reason(LESSON, sources=["dnsmasq"] * 2000) == "record_malformed"


def test_a_heartbeat_may_tell_of_two_sources_of_a_kind_but_not_of_hundreds() -> None:
    source = STATUS["sources"][0]
    assert reason(STATUS, sources=[source] * 2) is None
    assert reason(STATUS, sources=[{"kind": "dnsmasq", "fresh": None}] * 65) == "record_malformed"


@pytest.mark.parametrize(
    ("record", "name", "most", "one"),
    [
        (LESSON, "strip", 120, {"consume": 0.1}),
        (LESSON, "placements", 32, PLACEMENT),
        (WEEK, "placements", 32, WEEK_PLACEMENT),
    ],
)
def test_lists_have_an_end(record: dict[str, Any], name: str, most: int, one: object) -> None:
    long = {"minutes": 600} if record is LESSON else {}
    assert reason(record, **long, **{name: [one] * most}) is None
    assert reason(record, **long, **{name: [one] * (most + 1)}) == "record_malformed"
