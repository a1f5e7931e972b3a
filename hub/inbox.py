"""The hub's end of the link: who may talk, who may join, and what every record does, in one transaction."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from hub.known import Known
from hub.store import acceptance, alarms, announced, catalogue, ceilings, enrolments, heartbeats, refusals
from hub.taking import Taking
from shared import storage
from shared.errors import BadInput
from shared.link import invitations, keys, ledger
from shared.link.outcomes import Delivery, Later, Outcome, Standing

_COUNTS_S: Final = 1.0  # counts of what was turned away without a write are written this often

_log = structlog.get_logger("hub")


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
        next_key: Callable[[], str] = str,
    ) -> None:
        self._next_key = next_key
        self._known = known or Known.load()
        self._writer = writer
        self._clock = clock
        self._daily = daily
        self._reader = storage.reader(writer.path)
        self._full: dict[str, tuple[str, str]] = {}  # enrolment: the day on which it is full, and why
        self._turned_away: Counter[tuple[int, str]] = Counter()  # by school and reason, not yet on disk
        self._counted = float("-inf")
        self._alarms = alarms.Watch(writer, self._reader, clock)

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
            enrolment = self._writer.run(lambda own: _enrol(own, public_key, secret, name, now))
        except BadInput as error:
            self._turn_away(refusals.NO_SCHOOL, f"join_{error.reason}", now)
            self._alarms.join_refused(public_key, secret, name, error.reason)
            raise
        self._alarms.joined(public_key)
        _log.info("school_joined", school=name, key=keys.fingerprint(public_key))
        return enrolment

    def knocked(self, public_key: str) -> None:
        """A key that is not enrolled came."""
        self._alarms.knocked(public_key)

    def renew(self, enrolment: str, old_key: str, new_key: str) -> None:
        """Let a school's new key speak beside its old one; a refusal is counted."""
        now = self._clock()
        try:
            self._writer.run(lambda own: enrolments.KEYS.renew(own, int(enrolment), old_key, new_key, now))
        except BadInput as error:
            self._turn_away(int(enrolment), f"renew_{error.reason}", now)
            raise

    def retire(self, enrolment: str, key_in_use: str) -> None:
        """A school's new key speaks: its old one is refused from now on."""
        if enrolments.KEYS.before(self._reader, key_in_use) is not None:
            now = self._clock()
            self._writer.run(lambda own: enrolments.KEYS.retire(own, int(enrolment), key_in_use, now))

    def hello(self, enrolment: str, stream: str, epoch: int) -> Standing:
        """How the school's stream stands; a refusal is counted."""
        standing = ledger.standing_of(self._reader, enrolment, stream, epoch)
        if standing is None:
            standing = self._begin(enrolment, stream, epoch)
        following = self._next_key()
        if following and not announced.knows(self._reader, int(enrolment), following):
            self._writer.run(lambda own: announced.tell(own, int(enrolment), following))
        self._alarms.greeted(enrolment, epoch, standing.epoch)
        return standing

    def tell(self, enrolment: str, what: str) -> bytes | None:
        """The district's entries of the catalogue, to every school; of anything else nothing."""
        del enrolment
        return catalogue.newest(self._reader) if what == catalogue.ASKED else None

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Every record's effect, once; refused ones are counted and kept scrubbed.

        A school that has brought in a day's worth is put off till later, with what it has left unharmed.
        """
        return self.begin(deliveries, lambda: None)()

    def begin(
        self, deliveries: Sequence[Delivery], ready: Callable[[], None]
    ) -> Callable[[], Sequence[Outcome]]:
        """See shared.link.groups.Overlapping."""
        now = self._clock()
        day = ceilings.day_of(now)
        self._full = {name: full for name, full in self._full.items() if full[0] == day}
        taken = [delivery for delivery in deliveries if delivery.enrolment not in self._full]
        if not taken:
            ready()
            return lambda: self._finished(deliveries, now, {}, [])
        written = self._writer.submit(lambda own: Taking(own, now, self._daily, self._known).deliver(taken))
        written.add_done_callback(lambda _: ready())
        return lambda: self._finished(deliveries, now, *written.result())

    def _finished(
        self, deliveries: Sequence[Delivery], now: float, full: Mapping[str, str], found: Sequence[Outcome]
    ) -> list[Outcome]:
        """One outcome a delivery: what was `found`, and for schools that were full before, later."""
        before, day = self._full, ceilings.day_of(now)
        self._full = before | {enrolment: (day, reason) for enrolment, reason in full.items()}
        rest, later = iter(found), Later(ceilings.retry_ms(now))
        outcomes = [later if delivery.enrolment in before else next(rest) for delivery in deliveries]
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            if isinstance(outcome, Later):
                self._put_off(delivery.enrolment, now)
        return outcomes

    def _begin(self, enrolment: str, stream: str, epoch: int) -> Standing:
        now = self._clock()
        try:
            return self._writer.run(lambda own: ledger.hello(own, enrolment, stream, epoch, int(now * 1000)))
        except BadInput as error:
            self._turn_away(int(enrolment), f"hello_{error.reason}", now)
            if error.reason == ledger.EPOCH_AHEAD:
                self._alarms.ahead(enrolment)
            raise

    def _put_off(self, enrolment: str, now: float) -> None:
        _, reason = self._full.get(enrolment, ("", acceptance.AHEAD))
        self._turn_away(int(enrolment), reason, now)
        if reason == acceptance.AHEAD:
            self._alarms.ahead(enrolment)

    def _turn_away(self, school_id: int, reason: str, now: float) -> None:
        self._turned_away[school_id, reason] += 1
        if abs(now - self._counted) >= _COUNTS_S:
            self._write_counts(now)

    def _write_counts(self, now: float) -> None:
        counted, self._turned_away, self._counted = self._turned_away, Counter(), now

        def write(own: sqlite3.Connection) -> None:
            for (school_id, reason), count in counted.items():
                refusals.tally(own, school_id, reason, now, count)
            schools = {school_id for school_id, _ in counted if school_id != refusals.NO_SCHOOL}
            heartbeats.hear(own, schools, now)

        try:
            self._writer.run(write)
        except sqlite3.Error:  # a full disk: whoever was turned away is no worse off, and still counted
            self._turned_away += counted

    def close(self) -> None:
        """Write what is counted, and let the file go."""
        if self._turned_away:
            self._write_counts(self._clock())
        self._alarms.close()
        self._reader.close()


def _enrol(connection: sqlite3.Connection, public_key: str, secret: bytes, name: str, now: float) -> str:
    enrolment = enrolments.enrol(connection, public_key, secret, name, now)
    alarms.settle(connection, public_key, now)
    return enrolment
