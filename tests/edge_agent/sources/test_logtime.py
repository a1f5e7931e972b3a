"""Times in log lines: what can be read becomes seconds within bounds, and nothing else stops the reading."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.logtime import LogTime

ZURICH = ZoneInfo("Europe/Zurich")
NOW = datetime(2026, 9, 14, 12, tzinfo=UTC).timestamp()


def seconds(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=ZURICH).timestamp())  # type: ignore[misc,arg-type] # a date's parts


@pytest.mark.parametrize(
    "text",
    [
        b"0001-01-01T00:00:00",
        b"0001-01-01T00:00:00+14:00",
        b"0001-01-01T00:00:00-14:00",
        b"1969-12-31T23:59:59Z",
        b"2106-02-07T06:28:16Z",
        b"9999-12-31T23:59:59",
        b"9999-12-31T23:59:59-14:00",
        b"2026-02-30T00:00:00Z",
        b"2026-09-14T24:00:01Z",
        b"Feb 30 08:00:00",
        b"Sep 14 08:00",
        b"\xff\xff\xff",
        b"",
    ],
)
def test_a_time_out_of_bounds_is_none(text: bytes) -> None:
    assert LogTime(ZURICH, now=NOW).seconds(text) is None


def test_the_bounds_themselves_are_times() -> None:
    times = LogTime(ZURICH, now=NOW)
    assert times.seconds(b"1970-01-01T00:00:00Z") == 0
    assert times.seconds(b"2106-02-07T06:28:15Z") == (1 << 32) - 1


@pytest.mark.parametrize("zone", ["Europe/Zurich", "Asia/Tokyo"])
def test_a_time_without_its_zone_is_the_schools_wherever_the_machine_thinks_it_is(zone: str) -> None:
    times = LogTime(ZoneInfo(zone))
    noon = datetime(2026, 9, 14, 12, tzinfo=ZoneInfo(zone)).timestamp()
    assert times.seconds(b"2026-09-14T12:00:00") == noon
    assert times.seconds(b"2026-09-14T12:00:00+00:00") == NOW


def test_the_repeated_hour_goes_forward_for_times_with_a_year_too() -> None:
    times = LogTime(ZURICH, now=datetime(2026, 10, 25, 12, tzinfo=UTC).timestamp())
    first = times.seconds(b"2026-10-25T02:59:59")
    second = times.seconds(b"2026-10-25T02:00:00")
    assert first is not None
    assert second == first + 1


def test_a_line_from_the_future_does_not_decide_the_repeated_hour() -> None:
    times = LogTime(ZURICH, now=datetime(2026, 10, 25, 0, tzinfo=UTC).timestamp())
    times.seconds(b"2031-01-01T00:00:00Z")
    assert times.seconds(b"Oct 25 02:10:00") == int(datetime(2026, 10, 25, 0, 10, tzinfo=UTC).timestamp())


def test_what_is_believed_ends_a_day_ahead() -> None:
    times = LogTime(ZURICH)
    assert times.latest == float("inf"), "nobody said what time it is"
    times.at(NOW)
    assert times.latest == NOW + 86400


@pytest.mark.parametrize("now", [0.0, 2.0**32, 1e11, 1e300, float("inf"), -1e12])
def test_a_clock_out_of_its_mind_stops_nothing(now: float) -> None:
    times = LogTime(ZURICH, now=now)
    assert times.seconds(b"2026-09-14T08:31:02Z") == seconds(2026, 9, 14, 10, 31, 2)
    found = times.seconds(b"Sep 14 08:31:02")
    assert found is None or 0 <= found < 1 << 32


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=40),
        st.from_regex(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[^ ]{0,8}", fullmatch=True),
        st.from_regex(rb"(Jan|Feb|Dec) [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}", fullmatch=True),
    ),
    st.sampled_from([None, 1, 1969, 2026, 2106, 9999]),
)
def test_any_text_is_a_time_within_bounds_or_none(text: bytes, year: int | None) -> None:
    found = LogTime(ZURICH, year=year, now=NOW).seconds(text)
    assert found is None or 0 <= found < 1 << 32
