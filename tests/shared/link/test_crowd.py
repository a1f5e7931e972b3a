"""There are never more connections than there is room for, and the right one goes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.link.crowd import UNREAD, Connection, Crowd, Room

ROOM = Room(strangers=3, of_one_account=2, connections=6, patience_s=15.0)


def fds(connections: list[Connection]) -> list[int]:
    return [connection.fd for connection in connections]


def come(crowd: Crowd, fd: int, now: float = 0.0, address: str = "a") -> list[int]:
    return fds(crowd.accepted(fd, (address, 1000 + fd), now))


def test_of_strangers_the_oldest_goes_when_there_are_too_many() -> None:
    crowd = Crowd(ROOM)
    assert [come(crowd, fd) for fd in range(5)] == [[], [], [], [0], [1]]
    assert crowd.counters["cut:strangers"] == 2


def test_a_flood_from_one_address_pushes_out_itself() -> None:
    crowd = Crowd(ROOM)
    come(crowd, 0, address="quiet")
    gone = [fd for number in range(1, 50) for fd in come(crowd, number, address="loud")]
    assert len(gone) == 47
    assert 0 not in gone


def test_who_spoke_as_a_member_is_no_stranger() -> None:
    crowd = Crowd(ROOM)
    come(crowd, 0)
    assert not crowd.known(0, "k", 100)
    assert crowd.heard(0, "k", True, 100, 0.0) == []
    assert crowd.known(0, "k", 100)
    assert not crowd.known(0, "other", 100), "a number that another connection has now"
    assert [come(crowd, fd) for fd in (1, 2, 3)] == [[], [], []]
    assert fds(crowd.overdue(100.0)) == [1, 2, 3]


def test_a_stranger_that_talks_stays_a_stranger() -> None:
    crowd = Crowd(ROOM)
    come(crowd, 0)
    crowd.heard(0, "s", False, 100, 1.0)
    assert not crowd.known(0, "s", 100)
    assert fds(crowd.overdue(14.9)) == []
    assert fds(crowd.overdue(15.0)) == [0]
    assert fds(crowd.overdue(16.0)) == [], "once is enough"


def test_a_frame_may_be_ahead_of_the_news_of_its_connection_but_not_by_much() -> None:
    crowd = Crowd(ROOM)
    crowd.heard(0, "k", True, 100, 0.0)
    come(crowd, 0, 0.1)
    assert crowd.known(0, "k", 100)
    crowd.heard(1, "k", True, 100, 0.0)
    come(crowd, 1, 60.0)
    assert not crowd.known(1, "k", 100)
    crowd.heard(2, "k", True, 100, 60.0)
    crowd.closed(2)
    come(crowd, 2, 60.0)
    assert not crowd.known(2, "k", 100)


def test_of_one_accounts_connections_the_oldest_goes() -> None:
    crowd = Crowd(ROOM)
    gone = []
    for fd in range(4):
        come(crowd, fd)
        gone.append(fds(crowd.heard(fd, "k", True, 100, 0.0)))
    assert gone == [[], [], [0], [1]]
    assert crowd.counters["cut:too_many_of_one_account"] == 2


def test_who_spoke_as_a_member_and_is_none_any_more_is_a_stranger_from_then_on() -> None:
    crowd = Crowd(ROOM)
    for fd in range(4):
        come(crowd, fd)
        crowd.heard(fd, f"member {fd}", True, 100, 0.0)
    gone = [fds(crowd.heard(fd, f"retired {fd}", False, 100, 50.0)) for fd in range(4)]
    assert gone == [[], [], [], [0]]
    assert not crowd.known(1, "member 1", 100)
    assert fds(crowd.overdue(64.9)) == []
    assert fds(crowd.overdue(65.0)) == [1, 2, 3]


def test_with_all_places_taken_a_stranger_goes_and_never_a_member() -> None:
    crowd = Crowd(ROOM)
    for fd in range(5):
        come(crowd, fd)
        crowd.heard(fd, str(fd), True, 100, 0.0)
    assert come(crowd, 5) == []
    assert come(crowd, 6) == [5]
    assert crowd.heard(6, "6", True, 100, 0.0) == []
    assert come(crowd, 7) == [7]


def test_every_connection_of_a_key_can_be_cut() -> None:
    crowd = Crowd(ROOM)
    for fd in range(2):
        come(crowd, fd)
        crowd.heard(fd, "mad", True, 100, 0.0)
    assert fds(crowd.of("mad", "over_limits")) == [0, 1]
    assert crowd.of("mad", "over_limits") == []
    assert crowd.heard(0, "mad", True, 100, 0.0) == [], "what it had sent before"
    assert crowd.open() == []
    crowd.closed(0)
    crowd.closed(1)
    assert len(crowd) == 0


def test_a_message_that_never_ends_is_noticed_and_heartbeats_are_not() -> None:
    crowd = Crowd(ROOM)
    come(crowd, 0)
    crowd.heard(0, "k", True, 100, 0.0)
    (connection,) = crowd.open()
    total = 0
    for _ in range(2000):
        total += 10_000
        assert crowd.received(connection, total) == []
    for _ in range(100):
        total += 64_000
        assert crowd.known(0, "k", 64_000)
    assert crowd.received(connection, total) == [], "whole frames came"
    assert crowd.received(connection, total + UNREAD) == []
    assert fds(crowd.received(connection, total + 2 * UNREAD)) == [0]
    assert crowd.received(connection, total + 3 * UNREAD) == []


def test_many_small_frames_earn_no_credit_for_a_message_that_never_ends() -> None:
    crowd = Crowd(ROOM)
    come(crowd, 0)
    crowd.heard(0, "k", True, 1, 0.0)
    (connection,) = crowd.open()
    for _ in range(300_000):
        crowd.known(0, "k", 1)
    assert crowd.received(connection, 300_000) == []
    assert fds(crowd.received(connection, 300_000 + 2 * UNREAD)) == [0]


happenings = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.integers(0, 9), st.sampled_from("abc")),
        st.tuples(st.just("hear"), st.integers(0, 9), st.sampled_from("klm")),
        st.tuples(st.just("stranger"), st.integers(0, 9), st.sampled_from("xyz")),
        st.tuples(st.just("gone"), st.integers(0, 9), st.just("")),
        st.tuples(st.just("cut"), st.just(0), st.sampled_from("klm")),
        st.tuples(st.just("time"), st.integers(0, 9), st.just("")),
    ),
    max_size=200,
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(happenings)
def test_whatever_happens_there_is_room_and_each_goes_once(steps: list[tuple[str, int, str]]) -> None:
    crowd, now = Crowd(ROOM), 0.0
    ending: set[int] = set()
    for what, number, word in steps:
        now += 0.1
        cut: list[int] = []
        match what:
            case "come":
                ending.discard(number)
                cut = come(crowd, number, now, word)
            case "hear" | "stranger":
                cut = fds(crowd.heard(number, word, what == "hear", 100, now))
            case "gone":
                ending.discard(number)
                crowd.closed(number)
            case "cut":
                cut = fds(crowd.of(word, "over_limits"))
            case "time":
                now += number
                cut = fds(crowd.overdue(now))
        assert not ending.intersection(cut)
        assert len(set(cut)) == len(cut)
        ending.update(cut)
        left = crowd.open()
        assert len(left) <= ROOM.connections
        assert sum(not connection.member for connection in left) <= ROOM.strangers
        for key in {connection.account for connection in left} - {""}:
            assert sum(connection.account == key for connection in left) <= ROOM.of_one_account
