"""One group of deliveries as one transaction: judged in order, their effects written together.

A record that is refused is left out before anything of it is written, so that none needs a savepoint.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.known import Known
from hub.store import acceptance, alarms, ceilings, enrolments, receipts, refusals
from hub.store.effects import Effects
from hub.store.enrolments import School
from shared.disclosure import REFUSED, Entry
from shared.errors import BadInput
from shared.link.ledger import Streams
from shared.link.outcomes import Delivery, Later, Outcome
from shared.records import decode

SLICE: Final = 128  # records whose effects are in memory at once

PATIENCE: Final = 7  # days of a month on which what is ahead of this hub's clock waits, before it is refused

_KIND: Final = re.compile(rb'"kind"\s*:\s*"(lesson|week|status)"')


@dataclass(slots=True)
class _Sender:
    """A school of this group: what it has brought in today, why it is full, what its log told of records.

    `told` has None for a batch whose record was withdrawn; `tells` is whether its log ever told of one.
    """

    school: School
    intake: ceilings.Intake
    full: str | None
    tells: bool
    changed: bool = False
    told: list[Entry | None] = field(default_factory=list)

    def tell(self, entry: Entry | None, *, accepted: bool) -> None:
        """What came with a record."""
        if entry:
            entry.accepted = accepted
            self.told.append(entry)
            self.tells = True

    def add(
        self, daily: Mapping[str, int], size: int, *, lesson: bool = False, refused: bool = False
    ) -> None:
        """One more record."""
        self.intake.add(size, lesson=lesson, refused=refused)
        self.full = self.intake.full(daily)
        self.changed = True


class Taking:
    """One transaction's worth of deliveries, each school's up to its ceilings."""

    def __init__(
        self, connection: sqlite3.Connection, now: float, daily: Mapping[str, int], known: Known
    ) -> None:
        self._connection = connection
        self._now = now
        self._daily = daily
        self._known = known
        self._later = Later(ceilings.retry_ms(now))
        self._streams = Streams(connection)
        self._effects = Effects(connection, now, known)
        self._senders: dict[str, _Sender] = {}
        self._counted: Counter[str] = Counter()

    def deliver(self, deliveries: Sequence[Delivery]) -> tuple[dict[str, str], list[Outcome]]:
        """Which enrolments are full, each with the reason, and one outcome a delivery."""
        outcomes: list[Outcome] = []
        for delivery in deliveries:
            outcomes.append(self._take(delivery))
            if len(outcomes) % SLICE == 0:
                self._effects.write()
                self._effects = Effects(self._connection, self._now, self._known)
        self._write()
        return {name: one.full for name, one in self._senders.items() if one.full}, outcomes

    def _take(self, delivery: Delivery) -> Outcome:
        sender = self._senders.get(delivery.enrolment) or self._open(delivery.enrolment)
        if sender.full:
            return self._later
        if (outcome := self._streams.judge(delivery)) is not None:
            return outcome
        if not delivery.payload:
            sender.told.append(None)
            return self._streams.settle(delivery)
        try:
            self._effect(sender, delivery)
        except BadInput as error:
            if error.reason == acceptance.AHEAD:
                return self._later
            self._refuse(sender, delivery, error.reason)
            return self._streams.reject(delivery, error.reason)
        return self._streams.settle(delivery)

    def _open(self, enrolment: str) -> _Sender:
        school = enrolments.of_enrolment(self._connection, enrolment)
        intake = ceilings.read(self._connection, school.id, ceilings.day_of(self._now))
        tells = receipts.tells(self._connection, school.id)
        sender = self._senders[enrolment] = _Sender(school, intake, intake.full(self._daily), tells)
        return sender

    def _effect(self, sender: _Sender, delivery: Delivery) -> None:
        record = trouble = None
        try:
            record = decode(delivery.payload)
        except BadInput as error:
            trouble = error
        entry = receipts.check(delivery.position, delivery.payload, record)
        if entry is None and sender.tells:
            raise BadInput(REFUSED, "a record without an entry, from a school whose log tells of each")
        try:
            if record is None:
                raise trouble or BadInput("record_malformed")
            done = self._effects.apply(sender.school, record)
        except BadInput as error:
            ahead = error.reason == acceptance.AHEAD
            if (
                ahead
                and refusals.days(self._connection, sender.school.id, error.reason, self._now) < PATIENCE
            ):
                raise
            sender.tell(entry, accepted=False)
            raise BadInput(acceptance.FUTURE, error.detail) if ahead else error from None
        sender.tell(entry, accepted=True)
        if entry is None:
            self._counted[receipts.UNDISCLOSED] += 1
        self._counted[done] += 1
        sender.add(self._daily, len(delivery.payload), lesson=done == "lesson_new")

    def _refuse(self, sender: _Sender, delivery: Delivery, reason: str) -> None:
        school = sender.school
        sender.add(self._daily, len(delivery.payload), refused=True)
        self._counted["refused"] += 1
        alarms.of_refusal(self._connection, school.id, reason, self._now)
        kind = _KIND.search(delivery.payload)
        word = kind[1].decode() if kind else "unknown"
        refusals.refuse(self._connection, school.id, reason, delivery.payload, word, self._now)

    def _write(self) -> None:
        self._effects.write()
        self._streams.write()
        changed = [(one.school.id, one.intake) for one in self._senders.values() if one.changed]
        ceilings.write(self._connection, changed)
        for sender in self._senders.values():
            receipts.keep(self._connection, sender.school.id, sender.told, self._now)
        for name, count in self._counted.items():
            refusals.count(self._connection, name, count)
