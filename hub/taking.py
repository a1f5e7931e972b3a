"""One group of deliveries as one transaction: judged in order, their effects written together.

Slice by slice records are read and checked, what the store has of them is looked up for all, and then each is
judged. A record that is refused is left out before anything of it is written, so that none needs a savepoint.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.known import Known
from hub.store import acceptance, alarms, ceilings, receipts, refusals, said, senders
from hub.store.effects import Effects
from hub.store.enrolments import School
from hub.store.said import Said
from shared.disclosure import REFUSED, Entry
from shared.errors import BadInput
from shared.link.ledger import Streams
from shared.link.outcomes import Delivery, Fenced, Later, Outcome, Settled
from shared.records import decode

SLICE: Final = 256  # records whose effects are in memory at once

PATIENCE: Final = 7  # days of a month on which what is ahead of this hub's clock waits, before it is refused

_KIND: Final = re.compile(rb'"kind"\s*:\s*"(lesson|week|status)"')


@dataclass(slots=True)
class _Sender:
    """A school of this group: what it has brought in today, why it is full, what its log told of records.

    `told` has None for a batch whose record was withdrawn; `line` is where its log was, None if it never told
    of a record; `tells` is whether it did so by now.
    """

    school: School
    intake: ceilings.Intake
    full: str | None
    line: receipts.Line | None
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


@dataclass(slots=True)
class _Read:
    """A record as far as it alone says what it is: its entry and what it says, or what is wrong with them."""

    entry: Entry | None = None
    undisclosed: BadInput | None = None
    said: Said | None = None
    trouble: BadInput | None = None


class Taking:
    """One transaction's worth of deliveries, each school's up to its ceilings."""

    def __init__(
        self, connection: sqlite3.Connection, now: float, daily: Mapping[str, int], known: Known
    ) -> None:
        self._connection = connection
        self._now = now
        self._daily = daily
        self._known = known
        self._day = ceilings.day_of(now)
        self._later = Later(ceilings.retry_ms(now))
        self._streams = Streams(connection)
        self._effects = Effects(connection, now, known)
        self._senders: dict[str, _Sender] = {}
        self._counted: Counter[str] = Counter()

    def deliver(self, deliveries: Sequence[Delivery]) -> tuple[dict[str, str], list[Outcome]]:
        """Which enrolments are full, each with the reason, and one outcome a delivery."""
        outcomes: list[Outcome] = []
        self._open(dict.fromkeys(delivery.enrolment for delivery in deliveries))
        for at in range(0, len(deliveries), SLICE):
            part = deliveries[at : at + SLICE]
            read = [self._read(delivery) for delivery in part]
            self._effects.look(
                (self._senders[delivery.enrolment].school, one.said)
                for delivery, one in zip(part, read, strict=True)
                if one and one.said
            )
            outcomes += map(self._take, part, read)
            self._effects.flush()
        self._write()
        return {name: one.full for name, one in self._senders.items() if one.full}, outcomes

    def _read(self, delivery: Delivery) -> _Read | None:
        """What came with it; None for what will not be taken, whatever comes before it in this slice."""
        if self._senders[delivery.enrolment].full or not delivery.payload:
            return None
        if isinstance(self._streams.judge(delivery), Settled | Fenced):
            return None
        record = None
        one = _Read()
        try:
            record = decode(delivery.payload)
        except BadInput as error:
            one.trouble = error.with_traceback(None)
        else:
            one.said = said.read(record, self._known, self._now)
        try:
            one.entry = receipts.check(delivery.position, delivery.payload, record)
        except BadInput as error:
            one.undisclosed = error.with_traceback(None)
        return one

    def _take(self, delivery: Delivery, one: _Read | None) -> Outcome:
        sender = self._senders[delivery.enrolment]
        if sender.full:
            return self._later
        if (outcome := self._streams.judge(delivery)) is not None:
            return outcome
        if one is None:
            sender.told.append(None)
            return self._streams.settle(delivery)
        try:
            self._effect(sender, delivery, one)
        except BadInput as error:
            if error.reason == acceptance.AHEAD:
                return self._later
            self._refuse(sender, delivery, error.reason)
            return self._streams.reject(delivery, error.reason)
        return self._streams.settle(delivery)

    def _open(self, enrolments: Iterable[str]) -> None:
        for enrolment, found in senders.find(self._connection, enrolments, self._day).items():
            school, intake, line = found
            full = intake.full(self._daily)
            self._senders[enrolment] = _Sender(school, intake, full, line, line is not None)

    def _effect(self, sender: _Sender, delivery: Delivery, one: _Read) -> None:
        if one.undisclosed:
            raise one.undisclosed
        entry = one.entry
        if entry is None and sender.tells:
            raise BadInput(REFUSED, "a record without an entry, from a school whose log tells of each")
        try:
            if one.said is None:
                raise one.trouble or BadInput("record_malformed")
            done = self._effects.take(sender.school, one.said)
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
        receipts.keep_all(
            self._connection,
            [
                (one.school.id, one.line or receipts.Line(), one.told)
                for one in self._senders.values()
                if one.told and one.tells
            ],
            self._now,
        )
        for name, count in self._counted.items():
            refusals.count(self._connection, name, count)
