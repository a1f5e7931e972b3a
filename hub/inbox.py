"""The hub's end of the link: who may talk, who may join, and what every record does, in one transaction."""

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from hub.known import Known
from hub.store import ceilings, effects, enrolments, refusals
from shared import storage
from shared.errors import BadInput
from shared.link import invitations, ledger
from shared.link.receiver import Delivery, Later, Outcome, Rejected, Standing
from shared.records import decode

_KIND: Final = re.compile(rb'"kind"\s*:\s*"(lesson|week|status)"')
_COUNTS_S: Final = 1.0  # counts of what was turned away without a write are written this often


class HubInbox:
    """`shared.link.server.Inbox` over the hub's store; `clock` gives hub time in epoch seconds.

    `daily` is what a school may bring in a day, see `ceilings.DAILY`; `known` are the models whose records
    it takes, by default those shipped.
    """

    def __init__(
        self,
        writer: storage.Writer,
        clock: Callable[[], float] = time.time,
        daily: Mapping[str, int] = ceilings.DAILY,
        known: Known | None = None,
    ) -> None:
        self._known = known or Known.load()
        self._writer = writer
        self._clock = clock
        self._daily = daily
        self._reader = storage.reader(writer.path)
        self._full: dict[str, tuple[str, str]] = {}  # enrolment: the day on which it is full, and why
        self._turned_away: Counter[tuple[int, str]] = Counter()  # by school and reason, not yet on disk
        self._counted = float("-inf")

    def enrolments(self) -> Mapping[str, str]:
        """Public keys that may talk."""
        return enrolments.enrolled(self._reader)

    def inviting(self) -> bool:
        """Whether an invitation is open."""
        return invitations.any_open(self._reader, self._clock())

    def join(self, public_key: str, secret: bytes, name: str) -> str:
        """Enrol the key of an invited school; a refusal is counted, and its invitation stays.

        What a stranger guesses costs one look at the open invitations and no write.
        """
        now = self._clock()
        try:
            invitations.look(self._reader, secret, public_key, now)
            return self._writer.run(lambda own: enrolments.enrol(own, public_key, secret, name, now))
        except BadInput as error:
            self._turn_away(refusals.NO_SCHOOL, f"join_{error.reason}", now)
            raise

    def hello(self, enrolment: str, stream: str, epoch: int) -> Standing:
        """How the school's stream stands."""
        return self._writer.run(lambda own: ledger.hello(own, enrolment, stream, epoch))

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Every record's effect, once; refused ones are counted and kept scrubbed.

        A school that has brought in a day's worth is put off till later, with what it has left unharmed.
        """
        now = self._clock()
        day = ceilings.day_of(now)
        self._full = {name: full for name, full in self._full.items() if full[0] == day}
        before = self._full
        taken = [delivery for delivery in deliveries if delivery.enrolment not in before]
        full, found = (
            self._writer.run(lambda own: _Taking(own, now, self._daily, self._known).deliver(taken))
            if taken
            else ({}, [])
        )
        self._full = before | {enrolment: (day, reason) for enrolment, reason in full.items()}
        rest, later = iter(found), Later(ceilings.retry_ms(now))
        outcomes = [later if delivery.enrolment in before else next(rest) for delivery in deliveries]
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            if isinstance(outcome, Later):
                self._turn_away(int(delivery.enrolment), self._full[delivery.enrolment][1], now)
        return outcomes

    def _turn_away(self, school_id: int, reason: str, now: float) -> None:
        self._turned_away[school_id, reason] += 1
        if abs(now - self._counted) >= _COUNTS_S:
            self._write_counts(now)

    def _write_counts(self, now: float) -> None:
        counted, self._turned_away, self._counted = self._turned_away, Counter(), now

        def write(own: sqlite3.Connection) -> None:
            for (school_id, reason), count in counted.items():
                refusals.tally(own, school_id, reason, now, count)
                if school_id != refusals.NO_SCHOOL:
                    effects.hear(own, school_id, now)

        try:
            self._writer.run(write)
        except sqlite3.Error:  # a full disk: whoever was turned away is no worse off, and still counted
            self._turned_away += counted

    def close(self) -> None:
        """Write what is counted, and let the file go."""
        if self._turned_away:
            self._write_counts(self._clock())
        self._reader.close()


class _Taking:
    """One transaction's worth of deliveries, each school's up to its ceilings."""

    def __init__(
        self, connection: sqlite3.Connection, now: float, daily: Mapping[str, int], known: Known
    ) -> None:
        self._known = known
        self._connection = connection
        self._now = now
        self._daily = daily
        self._intakes: dict[str, ceilings.Intake] = {}
        self._changed: set[str] = set()
        self._counted: Counter[str] = Counter()

    def deliver(self, deliveries: Sequence[Delivery]) -> tuple[dict[str, str], list[Outcome]]:
        """Which enrolments are full, each with the reason, and one outcome a delivery."""
        outcomes = [self._take(delivery) for delivery in deliveries]
        for enrolment in self._changed:
            ceilings.write(self._connection, int(enrolment), self._intakes[enrolment])
        for name, count in self._counted.items():
            refusals.count(self._connection, name, count)
        full = {enrolment: intake.full(self._daily) for enrolment, intake in self._intakes.items()}
        return {enrolment: reason for enrolment, reason in full.items() if reason}, outcomes

    def _take(self, delivery: Delivery) -> Outcome:
        intake = self._intakes.get(delivery.enrolment)
        if intake is None:
            day = ceilings.day_of(self._now)
            intake = ceilings.read(self._connection, int(delivery.enrolment), day)
            self._intakes[delivery.enrolment] = intake
        if intake.full(self._daily):
            return Later(ceilings.retry_ms(self._now))
        (outcome,) = ledger.deliver_in_transaction(self._connection, [delivery], self._effect)
        if isinstance(outcome, Rejected):
            self._reject(delivery, outcome.reason)
        return outcome

    def _effect(self, connection: sqlite3.Connection, delivery: Delivery) -> None:
        school = enrolments.of_enrolment(connection, delivery.enrolment)
        done = effects.apply(
            connection, school.id, school.name, decode(delivery.payload), self._now, self._known
        )
        self._counted[done] += 1
        self._changed.add(delivery.enrolment)
        intake = self._intakes[delivery.enrolment]
        self._intakes[delivery.enrolment] = intake.with_(len(delivery.payload), lesson=done == "lesson_new")

    def _reject(self, delivery: Delivery, reason: str) -> None:
        self._counted["refused"] += 1
        kind = _KIND.search(delivery.payload)
        refusals.refuse(
            self._connection,
            int(delivery.enrolment),
            reason,
            delivery.payload,
            kind[1].decode() if kind else "unknown",
            self._now,
        )
