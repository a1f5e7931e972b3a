"""Numbers, shares, dates and plurals are said as people say them, and never claim more than is known."""

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.pages import formats


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (1234, "1,200"),
        (25_276, "25,000"),
        (99.6, "100"),
        (0.1234, "0.12"),
        (0.00999, "0.01"),
        (3.0, "3"),
        (3.14159, "3.1"),
        (-12.7, "-13"),
        (None, "not visible"),
        (float("nan"), "not visible"),
    ],
)
def test_a_number_has_at_most_two_significant_digits(value: float | None, words: str) -> None:
    assert formats.number(value) == words


@given(st.floats(1e-6, 1e9))
@settings(derandomize=True, max_examples=300, deadline=None)
def test_a_number_is_within_five_percent_of_what_it_stands_for(value: float) -> None:
    words = formats.number(value)
    assert float(words.replace(",", "")) == pytest.approx(value, rel=0.051)
    assert len(words.replace(",", "").replace(".", "").strip("0")) <= 2


@given(st.floats(0, 1))
@settings(derandomize=True, max_examples=300, deadline=None)
def test_a_share_reads_as_none_or_all_only_when_it_is(value: float) -> None:
    words = formats.share(value)
    assert (words == "0%") == (value == 0)
    assert (words == "100%") == (value == 1)


def test_a_count_goes_with_its_unit() -> None:
    assert formats.count(1, "lesson") == "1 lesson"
    assert formats.count(1204, "class") == "1,204 classes"
    assert formats.count(0, "iPad") == "no iPads"


@pytest.mark.parametrize(
    ("header", "order"),
    [
        ("en-US,en;q=0.9", "mdy"),
        ("en-GB", "dmy"),
        ("de-DE,de;q=0.9,en-US;q=0.5", "dmy"),
        ("", "dmy"),
        (";;,", "dmy"),
    ],
)
def test_only_american_readers_get_the_month_first(header: str, order: str) -> None:
    assert formats.order_for(header) == order


def test_dates_name_their_month_and_carry_what_machines_read() -> None:
    assert formats.day("2025-03-04") == '<time datetime="2025-03-04">4 March 2025</time>'
    assert formats.day(date(2025, 3, 4), "mdy", weekday=True) == (
        '<time datetime="2025-03-04">Tuesday, March 4, 2025</time>'
    )
    assert formats.week("2025-W01") == '<time datetime="2025-W01">the week of 30 December 2024</time>'


def test_times_are_those_of_their_own_offset_and_say_when_it_is_utc() -> None:
    assert "4 March 2025, 08:30<" in formats.moment("2025-03-04T08:30:00-05:00")
    assert "08:30 UTC" in formats.moment("2025-03-04T08:30:00Z")
    assert "12:05 am" in formats.hour("2025-03-04T00:05:00+01:00", "mdy")
    assert formats.moment(None) == "never"


def test_a_list_reads_as_a_sentence() -> None:
    assert formats.listing([]) == ""
    assert formats.listing(["a"]) == "a"
    assert formats.listing(["a", "b", "c"]) == "a, b and c"


@given(st.text(max_size=40))
@settings(derandomize=True, max_examples=200, deadline=None)
def test_code_in_a_sentence_never_opens_a_tag(text: str) -> None:
    written = formats.coded(f"{text}`<b>{text}</b>`")
    bare = re.sub(r"</?code>|<span class=\"option\">|</span>", "", written)
    assert "<" not in bare
    assert ">" not in bare


def test_an_option_in_code_is_never_broken_in_two() -> None:
    assert (
        formats.coded("run `agent share DIR --until DAY`")
        == 'run <code>agent share DIR <span class="option">--until</span> DAY</code>'
    )
