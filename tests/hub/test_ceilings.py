"""No school fills the disk of all: a day's worth is taken, the rest waits in the school, others go on."""

import pytest

from hub.inbox import HubInbox
from hub.store.ceilings import BYTES, DAILY, LESSONS, REFUSED, retry_ms
from shared.link.frames import Busy, encode
from shared.link.outcomes import Delivery, Later, Rejected, Settled
from tests.hub.hubs import NOON, Hub
from tests.hub.records import SCHOOL, lesson, status, week

DAY = 86_400.0
HALF_HOUR_MS = 30 * 60 * 1000
LATER = Later(HALF_HOUR_MS)


@pytest.fixture
def small(hub: Hub) -> Hub:
    """A hub that takes three lessons a day of a school."""
    return limited(hub, lessons=3)


def limited(
    hub: Hub, lessons: int = DAILY[LESSONS], size: int = DAILY[BYTES], refused: int = DAILY[REFUSED]
) -> Hub:
    """The same hub with other ceilings, as after a restart."""
    hub.inbox.close()
    hub.inbox = HubInbox(hub.writer, lambda: hub.now, {LESSONS: lessons, BYTES: size, REFUSED: refused})
    return hub


def lessons(hub: Hub, enrolment: str, count: int, school: str = SCHOOL) -> list[Delivery]:
    """The next deliveries of a school, each another lesson."""
    return [hub.delivery(enrolment, lesson(school, code=f"c{i}")) for i in range(count)]


def put_off(hub: Hub) -> dict[tuple[str | None, str], int]:
    """What status says was put off, by school and reason."""
    return {
        (one.school, one.reason): one.count
        for one in hub.views.status().refused
        if one.reason.startswith("put_off")
    }


def test_a_day_has_room_for_five_thousand_lessons_as_many_refused_records_and_64_mib() -> None:
    assert dict(DAILY) == {LESSONS: 5_000, BYTES: 67_108_864, REFUSED: 5_000}


def test_what_is_over_the_ceiling_waits_and_comes_the_next_day(small: Hub) -> None:
    sent = lessons(small, small.join(SCHOOL), 5)
    assert small.inbox.deliver(sent) == [Settled(1), Settled(2), Settled(3), LATER, LATER]
    assert small.inbox.deliver(sent[3:]) == [LATER, LATER]
    small.now += DAY / 2
    assert small.inbox.deliver(sent[3:]) == [Settled(4), Settled(5)]
    assert small.rows("SELECT count(*) FROM lessons") == [(5,)]


def test_another_school_is_served_in_the_same_breath(small: Hub) -> None:
    full, other = small.join(SCHOOL), small.join("Birch Academy")
    much, little = lessons(small, full, 5), lessons(small, other, 2, "Birch Academy")
    mixed = [much[0], little[0], *much[1:], little[1]]
    first, again = small.inbox.deliver(mixed), small.inbox.deliver(mixed)
    assert first == [*map(Settled, (1, 1, 2, 3)), LATER, LATER, Settled(2)]
    assert again == [LATER, Settled(2), LATER, LATER, LATER, LATER, Settled(2)]
    assert put_off(small)[SCHOOL, "put_off_daily_lessons"] >= 1
    assert ("Birch Academy", "put_off_daily_lessons") not in put_off(small)


def test_a_restart_does_not_begin_the_day_again(small: Hub) -> None:
    enrolment = small.join(SCHOOL)
    sent = lessons(small, enrolment, 4)
    small.inbox.deliver(sent)
    assert limited(small, lessons=3).inbox.deliver(sent[3:]) == [LATER]


def test_only_new_lessons_count_as_lessons(small: Hub) -> None:
    enrolment = small.join(SCHOOL)
    again = small.delivery(enrolment, lesson())
    small.inbox.deliver([again])
    small.inbox.deliver([again] * 5)
    small.send(enrolment, *(lesson(revision=i) for i in range(1, 9)), *[b"bad"] * 5, week(), status())
    assert small.send(enrolment, lesson(code="b"), lesson(code="c"))[-1] == Settled(18)


def test_a_ceiling_of_bytes_holds_too(hub: Hub) -> None:
    limited(hub, size=10_000)
    outcomes = hub.inbox.deliver(lessons(hub, hub.join(SCHOOL), 30))
    taken = sum(isinstance(one, Settled) for one in outcomes)
    assert 1 < taken < 30
    assert set(outcomes[taken:]) == {LATER}
    assert (SCHOOL, "put_off_daily_bytes") in put_off(hub)


def test_refused_records_have_a_ceiling_and_their_bytes_count(hub: Hub) -> None:
    limited(hub, refused=3)
    enrolment = hub.join(SCHOOL)
    assert hub.send(enrolment, *[b"bad"] * 5)[2:] == [Rejected(3, "record_malformed"), LATER, LATER]
    assert (SCHOOL, "put_off_daily_refused") in put_off(hub)
    limited(hub, size=10_000)
    other = hub.join("Birch Academy")
    assert hub.send(other, b"!" * 10_000, status("Birch Academy"))[1] == LATER


def test_a_school_that_is_put_off_writes_at_most_once_a_second_and_counts_as_heard(small: Hub) -> None:
    sent = lessons(small, small.join(SCHOOL), 4)
    small.inbox.deliver(sent)
    small.now += 3600
    for _ in range(50):
        small.inbox.deliver(sent[3:])
    assert put_off(small) == {(SCHOOL, "put_off_daily_lessons"): 2}
    small.now += 1
    small.inbox.deliver(sent[3:])
    assert put_off(small) == {(SCHOOL, "put_off_daily_lessons"): 52}
    assert small.views.district().schools[0].freshness_words == "heard just now"


@pytest.mark.parametrize("hour", range(24))
def test_the_wait_is_long_ends_with_the_day_and_fits_its_frame(hour: int) -> None:
    wait = retry_ms(NOON + hour * 3600 + 3599.5)
    assert 60_000 <= wait <= HALF_HOUR_MS
    assert encode(Busy(wait))
