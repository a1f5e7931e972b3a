"""Which instants the replay stops at, and which the live day begins with."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from demo.term import (
    LONGEST_HOP,
    TERM_START,
    beginning,
    days_done,
    hops,
    is_school_day,
    replay,
    school_day,
    school_hours,
)

ZONE = ZoneInfo("America/New_York")
START = beginning(ZONE)
ANY_TIME = st.integers(START, START + 120 * 86400)
DAYS = st.integers(1, 60)
law = settings(derandomize=True, max_examples=80, deadline=None)


def _local(moment: int) -> datetime:
    return datetime.fromtimestamp(moment, ZONE)


def test_the_term_begins_on_a_monday_and_has_no_lessons_at_weekends() -> None:
    assert date(2026, 9, 14) == TERM_START
    assert [school_day(i) for i in (0, 4, 5, 9)] == [
        date(2026, 9, 14),
        date(2026, 9, 18),
        date(2026, 9, 21),
        date(2026, 9, 25),
    ]
    assert not is_school_day(date(2026, 9, 19))
    assert not is_school_day(TERM_START - timedelta(days=3))


def test_ten_days_end_on_the_second_saturday_after_fridays_key_is_destroyed() -> None:
    last = replay(10, START, ZONE)[-1]
    assert _local(last.until) == datetime(2026, 9, 26, 13, tzinfo=ZONE)
    friday = datetime(2026, 9, 25, tzinfo=ZONE)
    assert _local(last.until) - friday >= timedelta(hours=36)


@law
@given(DAYS, ANY_TIME)
def test_steps_go_forward_from_where_the_last_run_stopped_by_at_most_a_day(days: int, reached: int) -> None:
    before = reached
    for step in replay(days, reached, ZONE):
        assert before <= step.opens < step.until or before == step.opens == step.until
        assert 0 < step.until - before <= LONGEST_HOP
        before = step.until


@law
@given(DAYS, st.data())
def test_a_replay_that_is_cut_short_anywhere_ends_at_the_same_instants(
    days: int, data: st.DataObject
) -> None:
    whole = replay(days, START, ZONE)
    cut = data.draw(st.integers(0, len(whole) - 1))
    rest = replay(days, whole[cut].until, ZONE)
    # Hops may lie elsewhere, school days and weekends may not.
    closes = {step.until for step in whole[cut + 1 :] if _local(step.until).hour in (13, 16)}
    assert closes <= {step.until for step in rest} | {whole[cut].until}
    assert (rest[-1].until if rest else whole[cut].until) == whole[-1].until


@law
@given(DAYS)
def test_the_days_asked_for_are_done_at_the_end_and_asking_again_adds_nothing(days: int) -> None:
    end = replay(days, START, ZONE)[-1].until
    assert days_done(end, ZONE) == days
    assert replay(days, end, ZONE) == []
    assert replay(days - 1, end, ZONE) == []


@law
@given(DAYS)
def test_every_school_day_is_opened_in_the_morning_and_closed_after_its_last_lesson(days: int) -> None:
    steps = replay(days, START, ZONE)
    opened = {_local(s.opens).date() for s in steps if _local(s.opens).hour == 6}
    closed = {_local(s.until).date() for s in steps if _local(s.until).hour == 16}
    expected = {school_day(i) for i in range(days)}
    assert expected <= closed
    assert expected <= opened


@law
@given(ANY_TIME)
def test_live_hours_are_the_next_ones_that_are_not_over(reached: int) -> None:
    start, end = school_hours(reached, ZONE)
    assert reached <= start < end
    assert is_school_day(_local(start).date())
    assert _local(start).date() == _local(end).date()
    assert _local(end).hour >= 14
    # No whole school day lies between.
    between = [reached + 3600 * i for i in range((start - reached) // 3600)]
    assert not any(is_school_day(_local(t).date()) and 9 <= _local(t).hour < 14 for t in between)


@law
@given(ANY_TIME, st.integers(0, 20 * 86400))
def test_hops_reach_their_end_exactly(reached: int, distance: int) -> None:
    steps = hops(reached, reached + distance, "away")
    assert sum(step.until - step.opens for step in steps) == distance
