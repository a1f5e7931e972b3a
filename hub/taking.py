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
from hub.store import alarms, ceilings, enrolments, receipts, refusals
from hub.store.effects import Effects
from hub.store.enrolments import School
from shared.disclosure import Entry
from shared.errors import BadInput
from shared.link.ledger import Streams
from shared.link.receiver import Delivery, Later, Outcome
from shared.records import decode

SLICE: Final = 128  # records whose effects are in memory at once

_KIND: Final = re.compile(rb'"kind"\s*:\s*"(lesson|week|status)"')


@dataclass(slots=True)
class _Sender:
    """A school of this group: what it has brought in today, why it is full, what its log told of records."""

    school: School
    intake: ceilings.Intake
    full: str | None
    changed: bool = False
    entries: list[Entry] = field(default_factory=list)


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
        if delivery.payload:
            try:
                self._effect(sender, delivery)
            except BadInput as error:
                self._refuse(sender.school, delivery, error.reason)
                return self._streams.reject(delivery, error.reason)
        return self._streams.settle(delivery)

    def _open(self, enrolment: str) -> _Sender:
        school = enrolments.of_enrolment(self._connection, enrolment)
        intake = ceilings.read(self._connection, school.id, ceilings.day_of(self._now))
        sender = self._senders[enrolment] = _Sender(school, intake, intake.full(self._daily))
        return sender

    def _effect(self, sender: _Sender, delivery: Delivery) -> None:
        record = trouble = None
        try:
            record = decode(delivery.payload)
        except BadInput as error:
            trouble = error
        entry = receipts.check(delivery.position, delivery.payload, record)
        if entry:
            entry.accepted = False
            sender.entries.append(entry)
        if record is None:
            raise trouble or BadInput("record_malformed")
        done = self._effects.apply(sender.school, record)
        if entry:
            entry.accepted = True
        else:
            self._counted[receipts.UNDISCLOSED] += 1
        self._counted[done] += 1
        sender.intake.add(len(delivery.payload), lesson=done == "lesson_new")
        sender.full = sender.intake.full(self._daily)
        sender.changed = True

    def _refuse(self, school: School, delivery: Delivery, reason: str) -> None:
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
            receipts.keep(self._connection, sender.school.id, sender.entries, self._now)
        for name, count in self._counted.items():
            refusals.count(self._connection, name, count)
