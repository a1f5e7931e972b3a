"""Hop 1, the agent's end: what collectors send is committed with its position before it is acknowledged."""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Final

from edge_agent.intake.room import Shortage
from edge_agent.placing import parcel as parcels
from edge_agent.remote.members import Members
from edge_agent.store import collectors, counts
from edge_agent.store.arrivals import Arrivals, Checked, check
from shared.errors import BadInput
from shared.link import ledger
from shared.link.outcomes import Delivery, Later, Outcome, Rejected, Settled, Standing
from shared.scrub import shape
from shared.storage import Writer

ENROLMENT: Final = "collectors"
REFUSED: Final = "parcel_refused"
SHOWN: Final = 100  # characters of a refused parcel's shape
RETRY_MS: Final = 1000


class IntakeInbox:
    """The receiving side of hop 1, for shared.link.server.

    `shortage` is asked before anything is taken: while it names one, collectors are told to come later.
    `collector_key` is that of this agent's own collectors, None where they have an intake of their own.
    `clock` gives the school's time in seconds UTC. `members` are collectors on other machines.
    """

    def __init__(
        self,
        writer: Writer,
        collector_key: str | None,
        apps: int,
        on_signals: Callable[[], None],
        shortage: Callable[[], Shortage | None] = lambda: None,
        clock: Callable[[], float] = time.time,
        members: Members | None = None,
    ) -> None:
        self._members = members
        self._writer = writer
        self._shortage = shortage
        self._clock = clock
        self._enrolments = {} if collector_key is None else {collector_key: ENROLMENT}
        self._apps = apps
        self._on_signals = on_signals
        self.trouble = ""

    def enrolments(self) -> Mapping[str, str]:
        """The key of this agent's own collectors, and those of collectors on other machines."""
        return (
            self._enrolments if self._members is None else {**self._members.enrolments(), **self._enrolments}
        )

    def inviting(self) -> bool:
        """Whether a collector on another machine is invited."""
        return self._members is not None and self._members.inviting()

    def join(self, public_key: str, secret: bytes, name: str) -> str:
        """Enrol an invited collector on another machine; its own name for itself is of no interest."""
        if self._members is None:
            raise BadInput("not_inviting", "this agent takes no collectors from other machines")
        return self._members.join(public_key, secret)

    def renew(self, enrolment: str, old_key: str, new_key: str) -> None:
        """Let the new key of a collector on another machine speak beside its old one."""
        if self._members is None or enrolment == ENROLMENT:
            raise BadInput("keys_are_not_renewed_here")
        self._members.renew(enrolment, old_key, new_key)

    def retire(self, enrolment: str, key_in_use: str) -> None:
        """A collector's new key speaks."""
        if self._members is not None and enrolment != ENROLMENT:
            self._members.retire(enrolment, key_in_use)

    def tell(self, enrolment: str, what: str) -> bytes | None:
        """What a collector on another machine asks for; those of this agent know it themselves."""
        if self._members is None or enrolment == ENROLMENT:
            return None
        return self._members.tell(enrolment, what)

    def hello(self, enrolment: str, stream: str, epoch: int) -> Standing:
        """Where the source's reading stands; older sessions of its collector are fenced off."""
        if self._members is not None and enrolment != ENROLMENT:
            self._members.check_stream(enrolment, stream)
        now_ms = time.time_ns() // 1_000_000
        return self._writer.run(lambda own: ledger.hello(own, enrolment, stream, epoch, now_ms))

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Commit parcels; returns when they are on disk. `Later` for all of them while there is no room."""
        return self.begin(deliveries, lambda: None)()

    def begin(
        self, deliveries: Sequence[Delivery], ready: Callable[[], None]
    ) -> Callable[[], Sequence[Outcome]]:
        """See shared.link.groups.Overlapping."""
        if self._shortage() is not None:
            ready()
            return lambda: [Later(RETRY_MS)] * len(deliveries)
        waiting = self._waiting(deliveries)
        # Before the write and not in it: the group before this one may still be on its way to the disk.
        found = [self._look(delivery, waiting) for delivery in deliveries]
        written = self._writer.submit(lambda connection: self._deliver(connection, deliveries, found))
        written.add_done_callback(lambda _: ready())
        return lambda: self._finished(deliveries, found, written)

    def _finished(
        self, deliveries: Sequence[Delivery], found: Sequence["_Found"], written: Future[list[Outcome]]
    ) -> list[Outcome]:
        try:
            outcomes = written.result()
        except sqlite3.Error as error:
            self.trouble = (
                f"Signals cannot be stored ({error}): make room on the disk; nothing is lost meanwhile"
            )
            raise
        taken = [
            (delivery.enrolment, one)
            for delivery, one, outcome in zip(deliveries, found, outcomes, strict=True)
            if isinstance(outcome, Settled)
        ]
        if taken:
            self.trouble = ""  # a gap, left by what could not be stored, is no news of the disk
        for enrolment, one in taken:
            if self._members is not None and enrolment != ENROLMENT and isinstance(one, Checked):
                self._members.heard(one.parcel)
        self._on_signals()
        return outcomes

    def _waiting(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        """Enrolments of which nothing is taken for now: they fill their share."""
        if self._members is None:
            return frozenset()
        others = {delivery.enrolment for delivery in deliveries} - {ENROLMENT}
        return frozenset(enrolment for enrolment in others if self._members.is_full(enrolment))

    def _look(self, delivery: Delivery, waiting: frozenset[str]) -> "_Found":
        if delivery.enrolment in waiting:
            return Later(RETRY_MS)
        if not delivery.payload:
            return None
        try:
            parcel = parcels.decode(delivery.payload)
            if self._members is not None and delivery.enrolment != ENROLMENT:
                parcel = self._members.admit(delivery.enrolment, parcel)
            return check(parcel, self._apps)
        except BadInput as error:
            return error

    def _deliver(
        self, connection: sqlite3.Connection, deliveries: Sequence[Delivery], found: Sequence["_Found"]
    ) -> list[Outcome]:
        streams, arrivals = ledger.Streams(connection), Arrivals(connection)

        def take(delivery: Delivery, one: _Found) -> Outcome:
            match one:
                case Later():
                    return one
                case BadInput():
                    return streams.reject(delivery, one.reason)
                case Checked():
                    arrivals.add(one)
            return streams.settle(delivery)

        pairs = zip(deliveries, found, strict=True)
        outcomes = [streams.judge(delivery) or take(delivery, one) for delivery, one in pairs]
        arrivals.write()
        streams.write()
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            if isinstance(outcome, Rejected):
                keep_refused(connection, delivery, outcome.reason, self._clock())
        return outcomes


# What a delivery brings, before its stream is asked: nothing but a position, signals, or why not.
_Found = Checked | BadInput | Later | None


def keep_refused(connection: sqlite3.Connection, delivery: Delivery, reason: str, now: float) -> None:
    """Count a parcel that will never be taken, and keep its shape, its size and its hash."""
    payload, enrolment = delivery.payload, delivery.enrolment
    # What a collector on another machine says its stream is, may be another source's name.
    source = delivery.stream if enrolment == ENROLMENT else enrolment.removeprefix(collectors.PREFIX)
    digest = hashlib.sha256(payload).hexdigest()
    excerpt = f"{shape(payload, SHOWN)} ({len(payload)} bytes, sha256 {digest})"
    counts.add_counts(connection, source, {"refused": {REFUSED: 1}})
    counts.quarantine(connection, now, source, [(reason, excerpt)])
