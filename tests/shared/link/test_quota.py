"""Who takes more than is his is slowed, then refused; who heeds what he is told never is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.link.frames import MAX_FRAME, WINDOW
from shared.link.quota import (
    FIRST_REFUSAL_S,
    GRACE,
    LONGEST_REFUSAL_S,
    STRICT,
    STRIKES,
    UNLIMITED,
    Limiter,
    Quota,
    Slow,
    Step,
    account_of,
)

SMALL = Quota(batches_per_second=10, bytes_per_second=1e6, talk_per_second=5, talk_burst=10)


def batch(limiter: Limiter, now: float, *, key: str = "k", route: bytes = b"r", size: int = 1) -> object:
    return limiter.admit(key, route, size, now, batch=True)


def talk(limiter: Limiter, now: float, *, key: str = "k") -> object:
    return limiter.admit(key, b"r", 10, now, batch=False)


def enrage(limiter: Limiter, now: float, *, key: str = "k") -> int:
    """Send until refused; how many frames that took."""
    for number in range(1, 10_000):
        if batch(limiter, now, key=key) is Step.REFUSE:
            return number
    raise AssertionError("never refused")


def test_a_burst_passes_and_then_the_rate() -> None:
    limiter = Limiter(SMALL)
    assert [batch(limiter, 0.0) for _ in range(10)] == [None] * 10
    assert isinstance(batch(limiter, 0.0), Slow)
    assert batch(limiter, 100.0) is None


def test_bytes_count_as_batches_do() -> None:
    limiter = Limiter(Quota(batches_per_second=1e6, bytes_per_second=MAX_FRAME))
    assert batch(limiter, 0.0, size=MAX_FRAME) is None
    assert isinstance(batch(limiter, 0.0, size=MAX_FRAME), Slow)


def test_the_largest_frame_passes_however_small_the_rate() -> None:
    assert batch(Limiter(Quota(bytes_per_second=1.0)), 0.0, size=MAX_FRAME) is None


def test_who_waits_as_long_as_told_passes() -> None:
    limiter = Limiter(SMALL)
    for _ in range(10):
        batch(limiter, 0.0)
    slow = batch(limiter, 0.0)
    assert isinstance(slow, Slow)
    assert batch(limiter, slow.retry_ms / 1000 - 0.01) is not None
    assert batch(limiter, slow.retry_ms / 1000 + 0.001) is None


def test_what_was_on_its_way_is_dropped_and_not_held_against_anybody() -> None:
    limiter = Limiter(SMALL)
    for _ in range(10):
        batch(limiter, 0.0)
    for route in (b"one", b"two"):
        assert isinstance(batch(limiter, 0.0, route=route), Slow), "each conversation is told"
        assert [batch(limiter, 0.0, route=route) for _ in range(WINDOW)] == [Step.DROP] * WINDOW
    assert not limiter.refuses("k", 0.0)


def test_a_conversation_that_begins_anew_is_told_anew() -> None:
    limiter = Limiter(SMALL)
    for _ in range(11):
        batch(limiter, 0.0)
    assert batch(limiter, 0.0) is Step.DROP
    limiter.greeted("k", b"r")
    limiter.greeted("nobody", b"r")
    assert isinstance(batch(limiter, 0.0), Slow)


def test_who_goes_on_in_spite_of_being_told_is_refused_and_then_cut() -> None:
    limiter = Limiter(SMALL)
    assert enrage(limiter, 0.0) <= 10 + (GRACE + 2) * STRIKES
    assert limiter.refuses("k", 0.0)
    rest = [batch(limiter, 0.0) for _ in range(GRACE + 1)]
    assert rest == [Step.DROP] * GRACE + [Step.CUT]
    assert talk(limiter, 0.0) is Step.REFUSE, "who asks is told why"


def test_each_refusal_lasts_longer_up_to_ten_minutes_and_a_calm_peer_begins_afresh() -> None:
    limiter, now, lengths = Limiter(SMALL), 0.0, []
    for _ in range(9):
        enrage(limiter, now)
        began = now
        while limiter.refuses("k", now):
            now += 5.0
        lengths.append(now - began)
    assert lengths[:3] == [FIRST_REFUSAL_S, 2 * FIRST_REFUSAL_S, 4 * FIRST_REFUSAL_S]
    assert lengths[-1] == LONGEST_REFUSAL_S
    now += 3 * LONGEST_REFUSAL_S
    assert batch(limiter, now) is None
    enrage(limiter, now)
    assert not limiter.refuses("k", now + FIRST_REFUSAL_S)


def test_strikes_far_apart_do_not_add_up() -> None:
    limiter, now = Limiter(SMALL), 0.0
    for _ in range(20):
        for _ in range(10 + GRACE + 3):
            batch(limiter, now)
        assert not limiter.refuses("k", now)
        now += 100.0


def test_talk_beyond_its_burst_is_dropped_and_a_flood_of_it_is_refused() -> None:
    limiter = Limiter(SMALL)
    assert [talk(limiter, 0.0) for _ in range(12)] == [None] * 10 + [Step.DROP] * 2
    assert talk(limiter, 1.0) is None
    assert Step.REFUSE in [talk(limiter, 1.0) for _ in range(100)]


def test_talk_cannot_be_a_way_to_carry_more_bytes() -> None:
    limiter = Limiter(Quota(bytes_per_second=1.0, talk_per_second=1e6, talk_burst=1e6))
    found = [limiter.admit("k", b"r", MAX_FRAME, 0.0, batch=False) for _ in range(10)]
    assert found[:2] == [None, Step.DROP]
    assert Step.REFUSE in found


def test_what_no_honest_peer_does_is_refused_at_once() -> None:
    limiter = Limiter(SMALL)
    limiter.expel("k", 0.0)
    assert limiter.refuses("k", FIRST_REFUSAL_S - 1)
    assert not limiter.refuses("k", FIRST_REFUSAL_S + 1)
    assert not limiter.refuses("other", 0.0)


def test_one_keys_madness_is_nothing_to_another() -> None:
    limiter = Limiter(SMALL)
    enrage(limiter, 0.0, key="mad")
    assert [batch(limiter, 0.0, key="sane") for _ in range(10)] == [None] * 10


def test_an_enrolments_account_is_no_keys_account_whatever_it_is_called() -> None:
    key = "k" * 40
    assert account_of(key, None) == key
    assert account_of(key, "school") == account_of("another", "school")
    assert account_of(key, "school") != account_of(key, "another school")
    assert " " in account_of("", key)


def test_new_keys_come_in_a_burst_and_then_one_at_a_time_and_asking_again_is_free() -> None:
    limiter = Limiter(STRICT)
    assert [limiter.renews("k", f"new {i}", 0.0) for i in range(6)] == [True] * 4 + [False] * 2
    assert all(limiter.renews("k", "new 3", 0.0) for _ in range(100))
    assert not limiter.renews("k", "new 0", 0.0)
    assert limiter.renews("other", "new 9", 0.0)
    assert [limiter.renews("k", f"later {i}", 901.0) for i in range(2)] == [True, False]


def test_unlimited_counts_nothing() -> None:
    limiter = Limiter(UNLIMITED)
    assert {batch(limiter, 0.0, size=MAX_FRAME) for _ in range(10_000)} == {None}
    assert {talk(limiter, 0.0) for _ in range(10_000)} == {None}
    assert all(limiter.renews("k", str(i), float(i)) for i in range(1_000))


@pytest.mark.parametrize("quota", [Quota(), STRICT])
def test_a_days_records_of_one_school_pass_at_once(quota: Quota) -> None:
    limiter = Limiter(quota)
    assert {batch(limiter, 0.0, size=3072) for _ in range(400)} == {None}


def test_a_terms_backlog_passes_the_strict_quota_within_a_minute() -> None:
    limiter, now, left = Limiter(STRICT), 0.0, 20_000
    while left:
        answer = batch(limiter, now, size=3072)
        if isinstance(answer, Slow):
            now += answer.retry_ms / 1000
        else:
            left -= 1
    assert now < 60


def test_any_number_of_keys_is_remembered_in_a_bounded_room_and_the_idle_are_forgotten() -> None:
    limiter = Limiter(SMALL)
    for number in range(20_000):
        batch(limiter, 0.0, key=str(number))
    assert len(limiter) <= 8192
    batch(limiter, 2 * 3600.0, key="later")
    assert len(limiter) == 1


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 3, allow_nan=False), st.integers(1, 40)), max_size=60))
def test_never_more_than_burst_and_rate_even_when_the_clock_goes_back(
    steps: list[tuple[float, int]],
) -> None:
    limiter, now, forward, passed = Limiter(SMALL), 0.0, 0.0, 0
    for step, count in steps:
        now += step
        forward += max(0.0, step)
        passed += sum(batch(limiter, now) is None for _ in range(count))
    assert passed <= 10 + 10 * forward + 1e-6


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.integers(1, 3000),
    st.integers(1, MAX_FRAME),
    st.floats(0.001, 1.0),
    st.sampled_from([SMALL, STRICT, Quota(batches_per_second=1, bytes_per_second=1e5)]),
)
def test_a_sender_that_waits_when_told_is_never_refused_and_gets_everything_through(
    count: int, size: int, trip: float, quota: Quota
) -> None:
    limiter, now, done = Limiter(quota), 0.0, 0
    count = min(count, 50 * int(quota.batches_per_second))
    rounds = 0
    while done < count:
        rounds += 1
        assert rounds < 50_000
        wait = 0.0
        for _ in range(min(WINDOW, count - done)):  # a window arrives, whatever was said to its first
            answer = batch(limiter, now, size=size)
            assert answer not in (Step.REFUSE, Step.CUT)
            if isinstance(answer, Slow):
                wait = answer.retry_ms / 1000 + 0.001
            elif answer is None:
                done += 1
        now += max(wait, 0.0) + trip
