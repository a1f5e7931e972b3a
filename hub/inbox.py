"""The hub's end of the link: who may talk, who may join, and what every record does, in one transaction."""

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from hub.store import effects, enrolments, refusals
from shared import storage
from shared.errors import BadInput
from shared.link import invitations, ledger
from shared.link.receiver import Delivery, Outcome, Rejected, Standing
from shared.records import decode

_KIND: Final = re.compile(rb'"kind"\s*:\s*"(lesson|week|status)"')


class HubInbox:
    """`shared.link.server.Inbox` over the hub's store; `clock` gives hub time in epoch seconds."""

    def __init__(self, writer: storage.Writer, clock: Callable[[], float] = time.time) -> None:
        self._writer = writer
        self._clock = clock
        self._reader = storage.reader(writer.path)

    def enrolments(self) -> Mapping[str, str]:
        """Public keys that may talk."""
        return enrolments.enrolled(self._reader)

    def inviting(self) -> bool:
        """Whether an invitation is open."""
        return invitations.any_open(self._reader, self._clock())

    def join(self, public_key: str, secret: bytes, name: str) -> str:
        """Enrol the key of an invited school; a refusal is counted, and its invitation stays."""
        now = self._clock()
        try:
            return self._writer.run(lambda own: enrolments.enrol(own, public_key, secret, name, now))
        except BadInput as error:
            reason = f"join_{error.reason}"
            self._writer.run(lambda own: refusals.refuse(own, refusals.NO_SCHOOL, reason, b"", "join", now))
            raise

    def hello(self, enrolment: str, stream: str, epoch: int) -> Standing:
        """How the school's stream stands."""
        return self._writer.run(lambda own: ledger.hello(own, enrolment, stream, epoch))

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Every record's effect, once; refused ones are counted and kept scrubbed."""
        now = self._clock()
        return self._writer.run(lambda own: _deliver(own, deliveries, now))

    def close(self) -> None:
        """Let the file go."""
        self._reader.close()


def _deliver(connection: sqlite3.Connection, deliveries: Sequence[Delivery], now: float) -> list[Outcome]:
    counted: Counter[str] = Counter()

    def effect(own: sqlite3.Connection, delivery: Delivery) -> None:
        school = enrolments.of_enrolment(own, delivery.enrolment)
        counted[effects.apply(own, school.id, school.name, decode(delivery.payload), now)] += 1

    outcomes = ledger.deliver_in_transaction(connection, deliveries, effect)
    for delivery, outcome in zip(deliveries, outcomes, strict=True):
        if isinstance(outcome, Rejected):
            counted["refused"] += 1
            kind = _KIND.search(delivery.payload)
            refusals.refuse(
                connection,
                int(delivery.enrolment),
                outcome.reason,
                delivery.payload,
                kind[1].decode() if kind else "unknown",
                now,
            )
    for name, count in counted.items():
        refusals.count(connection, name, count)
    return outcomes
