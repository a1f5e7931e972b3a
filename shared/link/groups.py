"""Batches on their way to the inbox: one group is delivered, the next one gathered meanwhile."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from shared.link.instructions import Take
from shared.link.outcomes import Delivery, Later, Outcome

Answer = Callable[[Sequence[Take], Sequence[Outcome]], None]


class Delivering(Protocol):
    """The part of an inbox that takes batches."""

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Blocks until they are on disk; one outcome a delivery, in order."""


@runtime_checkable
class Overlapping(Protocol):
    """An inbox that need not be waited for: `deliver` in two steps, both from the server's own thread."""

    def begin(
        self, deliveries: Sequence[Delivery], ready: Callable[[], None]
    ) -> Callable[[], Sequence[Outcome]]:
        """Hand them over; what is returned gives (or raises) what `deliver` would, and may wait for it.

        It does not wait once `ready` was called, by any thread. Nothing further is handed over before.
        """


@dataclass(frozen=True, slots=True)
class Size:
    """The most that one group holds, but for its last batch; senders are told to wait `retry_ms`."""

    batches: int
    bytes: int
    retry_ms: int


@dataclass(frozen=True, slots=True)
class _UnderWay:
    group: list[Take]
    senders: set[str]
    outcomes: Callable[[], Sequence[Outcome]]
    ready: threading.Event = field(default_factory=threading.Event)


class Groups:
    """Groups of batches for `inbox`, one at a time and in the order in which they came.

    `answer` is told what became of a group, `fail` of every error of the inbox; `wake` ends the server's
    poll when a group is done. Counts `batches` and `commits` in `counters`.
    """

    def __init__(
        self,
        inbox: Delivering,
        size: Size,
        answer: Answer,
        fail: Callable[[Exception], None],
        wake: Callable[[], None],
        counters: Counter[str],
    ) -> None:
        self._inbox = inbox
        self._overlapping = inbox if isinstance(inbox, Overlapping) else None
        self._size = size
        self._answer = answer
        self._fail = fail
        self._wake = wake
        self._counters = counters
        self._gathered: list[Take] = []
        self._senders: set[str] = set()  # enrolments of what is gathered
        self._bytes = 0
        self._under_way: _UnderWay | None = None

    @property
    def full(self) -> bool:
        """Whether nothing more is to be gathered now."""
        return len(self._gathered) >= self._size.batches or self._bytes >= self._size.bytes

    def gather(self, take: Take) -> None:
        """One more batch."""
        self._gathered.append(take)
        self._senders.add(take.delivery.enrolment)
        self._bytes += len(take.delivery.payload)

    def turn(self) -> None:
        """Answer a group that is done, and begin the next one unless one is still under way."""
        if self._under_way and self._under_way.ready.is_set():
            self._conclude(self._under_way)
        if self._gathered and not self._under_way:
            self._begin()

    def flush(self) -> None:
        """Wait until everything that was gathered is delivered and answered."""
        while self._gathered or self._under_way:
            if self._under_way:
                self._conclude(self._under_way)
            else:
                self._begin()

    def flush_of(self, enrolment: str) -> None:
        """`flush`, if a batch of this enrolment is not answered yet; nobody else is waited for."""
        under_way = self._under_way.senders if self._under_way else ()
        if enrolment in self._senders or enrolment in under_way:
            self.flush()

    def _begin(self) -> None:
        group, self._gathered, self._bytes = self._gathered, [], 0
        senders, self._senders = self._senders, set()
        self._counters["batches"] += len(group)
        self._counters["commits"] += 1
        deliveries = [take.delivery for take in group]
        try:
            if self._overlapping:
                ready = threading.Event()
                outcomes = self._overlapping.begin(deliveries, lambda: self._done(ready))
                self._under_way = _UnderWay(group, senders, outcomes, ready)
                return
            results = self._inbox.deliver(deliveries)
        except Exception as error:  # noqa: BLE001 - nothing was acknowledged, so nothing is lost
            results = self._apart(group, error)
        self._answer(group, results)

    def _done(self, ready: threading.Event) -> None:
        ready.set()
        self._wake()

    def _conclude(self, done: _UnderWay) -> None:
        self._under_way = None
        try:
            results = done.outcomes()
        except Exception as error:  # noqa: BLE001 - as above
            results = self._apart(done.group, error)
        # The disk does not wait for the answers.
        if self._gathered:
            self._begin()
        self._answer(done.group, results)

    def _apart(self, group: Sequence[Take], error: Exception) -> list[Outcome]:
        """After a failure: each peer alone, so that one whose batch always fails holds up nobody else."""
        self._fail(error)
        outcomes: dict[int, Outcome] = {}
        for route in dict.fromkeys(take.route for take in group):
            mine = [i for i, take in enumerate(group) if take.route == route]
            results: Sequence[Outcome]
            try:
                results = self._inbox.deliver([group[i].delivery for i in mine])
            except Exception as again:  # noqa: BLE001 - as above
                self._fail(again)
                results = [Later(self._size.retry_ms)] * len(mine)
            outcomes.update(zip(mine, results, strict=True))
        return [outcomes[i] for i in range(len(group))]
