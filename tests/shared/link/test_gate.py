"""A stranger knocks a few times a second, whatever others do."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.link.gate import Handshakes, Knocks


def test_one_key_has_a_burst_and_then_its_rate() -> None:
    knocks = Knocks(5.0)
    assert [knocks.allow("k", 0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert [knocks.allow("k", 0.2) for _ in range(2)] == [True, False]
    assert sum(knocks.allow("k", 100.0) for _ in range(20)) == 5


def test_one_keys_knocks_do_not_count_for_another() -> None:
    knocks = Knocks(5.0)
    assert not all(knocks.allow("loud", 0.0) for _ in range(100))
    assert knocks.allow("quiet", 0.0)


def test_any_number_of_keys_is_remembered_in_a_bounded_room() -> None:
    knocks = Knocks(5.0)
    for i in range(5000):
        knocks.allow(str(i), 0.0)
    assert len(knocks._left) <= 1024


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(st.floats(-2, 2, allow_nan=False), max_size=200))
def test_no_more_pass_than_burst_and_rate_allow_even_when_the_clock_goes_back(steps: list[float]) -> None:
    knocks, now, forward, passed = Knocks(5.0), 0.0, 0.0, 0
    for step in steps:
        now += step
        forward += max(0.0, step)
        passed += knocks.allow("k", now)
    assert passed <= 5 + 5 * forward + 1e-6


def test_one_key_connects_so_often_and_strangers_only_so_often_together() -> None:
    handshakes = Handshakes(5.0, 8.0, lambda key, now: False)
    assert sum(handshakes.allow("k", 0.0, member=True) for _ in range(20)) == 8
    assert handshakes.allow("other", 0.0, member=True)
    assert sum(handshakes.allow(str(i), 0.0, member=False) for i in range(1000)) == 20
    assert handshakes.allow("third", 0.0, member=True), "members do not wait for strangers"


def test_a_key_that_is_refused_at_present_does_not_get_as_far_as_talking() -> None:
    handshakes = Handshakes(5.0, 8.0, lambda key, now: key == "mad" and now < 10)
    assert not handshakes.allow("mad", 0.0, member=True)
    assert handshakes.allow("mad", 10.0, member=True)
    assert handshakes.allow("sane", 0.0, member=True)
