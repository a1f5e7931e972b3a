"""While one group of batches is written the next is gathered; order, answers and failures are as before."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from shared.link.groups import Groups, Size
from shared.link.instructions import Take
from shared.link.outcomes import Delivery, Later, Outcome, Settled

SMALL = Size(batches=4, bytes=1000, retry_ms=700)


def take(seq: int, route: bytes = b"a", size: int = 10) -> Take:
    """Batch `seq` of the peer on `route`."""
    return Take(route, Delivery("school", route.decode(), 1, seq, bytes(size)))


def numbers(deliveries: Sequence[Delivery]) -> list[tuple[str, int]]:
    """Which batches they are."""
    return [(one.stream, one.seq) for one in deliveries]


class Plain:
    """An inbox that is waited for; it fails whenever one of `bad` is among the deliveries."""

    def __init__(self, bad: frozenset[str] = frozenset()) -> None:
        self.bad = bad
        self.delivered: list[list[tuple[str, int]]] = []

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Write them."""
        self.delivered.append(numbers(deliveries))
        if self.bad & {one.stream for one in deliveries}:
            raise OSError("no space left")
        return [Settled(one.seq) for one in deliveries]


class Slow(Plain):
    """One that writes when the test says so."""

    def __init__(self, bad: frozenset[str] = frozenset()) -> None:
        super().__init__(bad)
        self.begun: list[list[tuple[str, int]]] = []
        self.ready: Callable[[], None] = lambda: None

    def begin(
        self, deliveries: Sequence[Delivery], ready: Callable[[], None]
    ) -> Callable[[], Sequence[Outcome]]:
        """Write them when asked for the outcomes."""
        self.begun.append(numbers(deliveries))
        self.ready = ready
        return lambda: self.deliver(deliveries)


class Server:
    """What the groups tell their server."""

    def __init__(self, inbox: Plain) -> None:
        self.answers: list[tuple[bytes, Outcome]] = []
        self.failures: list[Exception] = []
        self.woken = 0
        self.counters: Counter[str] = Counter()
        self.groups = Groups(inbox, SMALL, self.answer, self.failures.append, self.wake, self.counters)

    def answer(self, group: Sequence[Take], outcomes: Sequence[Outcome]) -> None:
        """Note it."""
        self.answers += [(one.route, outcome) for one, outcome in zip(group, outcomes, strict=True)]

    def wake(self) -> None:
        """Count it."""
        self.woken += 1

    def gather(self, *takes: Take) -> None:
        """As one turn of the server's loop does."""
        for one in takes:
            self.groups.gather(one)
        self.groups.turn()


def test_what_comes_while_a_group_is_written_goes_together_after_it() -> None:
    inbox = Slow()
    server = Server(inbox)
    server.gather(take(1))
    server.gather(take(2))
    server.gather(take(3))
    assert inbox.begun == [[("a", 1)]]
    assert server.answers == []
    inbox.ready()
    assert server.woken == 1
    server.groups.turn()
    assert inbox.begun == [[("a", 1)], [("a", 2), ("a", 3)]]
    assert server.answers == [(b"a", Settled(1))]
    assert server.counters == {"batches": 3, "commits": 2}


def test_nothing_is_answered_before_it_is_on_disk() -> None:
    inbox = Slow()
    server = Server(inbox)
    server.gather(take(1))
    for _ in range(3):
        server.groups.turn()
    assert (inbox.delivered, server.answers) == ([], [])


@pytest.mark.parametrize("takes", [[take(n) for n in range(2, 6)], [take(1), take(2, size=1000)]])
def test_a_group_has_an_end_by_number_and_by_bytes(takes: list[Take]) -> None:
    server = Server(Slow())
    server.gather(take(1))
    for one in takes:
        assert not server.groups.full or one is takes[-1]
        server.groups.gather(one)
    assert server.groups.full


@pytest.mark.parametrize("kind", [Plain, Slow])
def test_a_batch_that_fails_holds_up_nobody_else_and_its_peer_is_told_to_come_later(
    kind: type[Plain],
) -> None:
    inbox = kind(frozenset({"b"}))
    server = Server(inbox)
    server.gather(take(1), take(1, b"b"), take(2), take(2, b"b"))
    server.gather(take(3))
    server.groups.flush()
    assert server.answers == [
        (b"a", Settled(1)),
        (b"b", Later(700)),
        (b"a", Settled(2)),
        (b"b", Later(700)),
        (b"a", Settled(3)),
    ]
    assert len(server.failures) == 2
    assert inbox.delivered[1:] == [[("a", 1), ("a", 2)], [("b", 1), ("b", 2)], [("a", 3)]]


def test_who_has_nothing_under_way_waits_for_nobody_and_who_has_waits_for_it() -> None:
    inbox = Slow()
    server = Server(inbox)
    server.gather(take(1))
    server.groups.flush_of("another school")
    assert (inbox.delivered, server.answers) == ([], [])
    server.groups.flush_of("school")
    assert server.answers == [(b"a", Settled(1))]
    server.groups.gather(take(2))
    server.groups.flush_of("another school")
    assert len(server.answers) == 1
    server.groups.flush_of("school")
    assert server.answers == [(b"a", Settled(1)), (b"a", Settled(2))]


def test_a_flush_waits_for_the_group_under_way_and_for_the_next() -> None:
    inbox = Slow()
    server = Server(inbox)
    server.gather(take(1))
    server.gather(take(2))
    server.groups.flush()
    assert inbox.delivered == [[("a", 1)], [("a", 2)]]
    assert server.answers == [(b"a", Settled(1)), (b"a", Settled(2))]


def test_an_inbox_that_must_be_waited_for_is_waited_for() -> None:
    inbox = Plain()
    server = Server(inbox)
    server.gather(take(1), take(2))
    assert server.answers == [(b"a", Settled(1)), (b"a", Settled(2))]
