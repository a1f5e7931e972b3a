"""Who may send signals from other machines: their keys, what they are told, how far each has read."""

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from edge_agent.placing.parcel import Parcel
from edge_agent.remote.admission import admit
from edge_agent.remote.share import Share
from edge_agent.remote.telling import OTHER_KIND, Teller
from edge_agent.store import collectors
from shared.errors import BadInput
from shared.link import invitations
from shared.storage import Writer, reader

SILENT_SECONDS: Final = 120.0  # a collector that says nothing for longer holds up no lesson
HOLDS_UP_SECONDS: Final = 2 * 3600.0  # and none holds one up for longer than this, whatever it says
BEHIND_SECONDS: Final = 120.0  # shown from here on


class Members:
    """Called from the intake's thread, but for `read_until`, `sources`, `forget` and `close`.

    `share`: bytes of stored signals from which on a collector has to wait.
    """

    def __init__(
        self,
        writer: Writer,
        teller: Teller,
        apps: int,
        share: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer = writer
        self._teller = teller
        self._apps = apps
        self._monotonic = monotonic
        self._reader: sqlite3.Connection = reader(writer.path)
        self._listing: sqlite3.Connection = reader(writer.path)
        self._lock = threading.Lock()  # of `_listing`, which any thread may use
        self._share = Share(self._reader, share, monotonic)
        self._started = monotonic()
        self._read: dict[str, tuple[float, float]] = {}  # name -> read until (UTC), heard at (monotonic)

    def enrolments(self) -> Mapping[str, str]:
        """Public keys of collectors that joined, each with its enrolment."""
        return collectors.enrolled(self._reader)

    def inviting(self) -> bool:
        """Whether an invitation waits to be used."""
        return invitations.any_open(self._reader, time.time())

    def join(self, public_key: str, secret: bytes) -> str:
        """Enrol an invited collector. Raises BadInput; what a stranger guesses costs no write."""
        now = time.time()
        invitations.look(self._reader, secret, public_key, now)
        return self._writer.run(lambda connection: collectors.enrol(connection, public_key, secret, now))

    def renew(self, enrolment: str, old_key: str, new_key: str) -> None:
        """Let a collector's new key speak beside its old one. Raises BadInput."""
        name, now = _name(enrolment), time.time()
        self._writer.run(lambda own: collectors.KEYS.renew(own, name, old_key, new_key, now))

    def retire(self, enrolment: str, key_in_use: str) -> None:
        """A collector's new key speaks: its old one is refused from now on."""
        if collectors.KEYS.before(self._reader, key_in_use) is not None:
            name, now = _name(enrolment), time.time()
            self._writer.run(lambda own: collectors.KEYS.retire(own, name, key_in_use, now))

    def tell(self, enrolment: str, what: str) -> bytes | None:
        """What a collector asked for; None where there is nothing of that name for it."""
        name = _name(enrolment)
        kind = self._kind(name)
        return None if kind is None else self._teller.tell(name, kind, what)

    def admit(self, enrolment: str, parcel: Parcel) -> Parcel:
        """What of a parcel is taken; never called inside a write. Raises BadInput."""
        name = _name(enrolment)
        kind = self._kind(name)
        if kind is None:
            raise BadInput("not_enrolled")
        now = self._teller.clock.now()
        return admit(parcel, source=name, kind=kind, apps=self._apps, table_of=self._teller.table, now=now)

    def check_stream(self, enrolment: str, stream: str) -> None:
        """Raises BadInput for another stream than that of the kind that was invited."""
        if stream != self._kind(_name(enrolment)):
            raise BadInput(OTHER_KIND, "a collector has one stream, named for what it was invited to read")

    def is_full(self, enrolment: str) -> bool:
        """Whether its signals fill their share, so that it has to wait until a day is forgotten."""
        return self._share.is_full(_name(enrolment))

    def heard(self, parcel: Parcel) -> None:
        """A parcel from another machine is on disk."""
        until, _ = self._read.get(parcel.source, (float("-inf"), 0.0))
        if parcel.read_until is not None:
            until = min(float(parcel.read_until), self._teller.clock.now())
        self._read[parcel.source] = until, self._monotonic()
        self._share.add(parcel.source, sum(len(batch) for batch in parcel.batches))

    def read_until(self, now: float, over_at: Callable[[float], float]) -> float:
        """The moment (seconds UTC) up to which every collector that is heard has read; `now` without any.

        At least `over_at(now)`, when the newest day was over that has signals and no key any more: nothing
        more is taken of it, and to delete its signals waits for no other machine.
        """
        oldest = self._monotonic() - SILENT_SECONDS
        reading = [self._of(one.name) for one in self._enrolled()]
        until = min((until for until, heard in reading if heard >= oldest), default=now)
        return now if until >= now else max(until, now - HOLDS_UP_SECONDS, over_at(now))

    def sources(self) -> list[tuple[str, str, str]]:
        """Name, kind and state in words of every collector that may send; from any thread."""
        kinds = {one.name: one.kind for one in self._enrolled()}
        now = self._teller.clock.now()
        return [
            (name, kind, f"read on another machine{self._state(name, now)}") for name, kind in kinds.items()
        ]

    def forget(self) -> None:
        """A day's key was destroyed: nothing made with it stays in memory; any thread."""
        self._teller.forget()

    def close(self) -> None:
        """Let the file go."""
        self._reader.close()
        with self._lock:
            self._listing.close()

    def _state(self, name: str, now: float) -> str:
        if name not in self._read:
            return "; not heard since this agent started"
        until, heard = self._of(name)
        silent, behind = self._monotonic() - heard, now - until
        if self._share.was_full(name):
            return "; its signals fill its share of `signals_mib`: it waits until the next noon"
        if silent > SILENT_SECONDS:
            return f", silent for {int(silent // 60)} min: no lesson waits for it"
        if behind > HOLDS_UP_SECONDS:
            return f", more than {int(HOLDS_UP_SECONDS // 60)} min behind: lessons wait no longer than that"
        return f", {int(behind // 60)} min behind: lessons wait for it" if behind >= BEHIND_SECONDS else ""

    def _of(self, name: str) -> tuple[float, float]:
        """Read until, heard at; as long as an agent has just started it waits for everybody."""
        return self._read.get(name, (float("-inf"), self._started))

    def _enrolled(self) -> list[collectors.Enrolled]:
        with self._lock:
            return [one for one in collectors.listed(self._listing) if one.revoked is None]

    def _kind(self, name: str) -> str | None:
        return collectors.kind_of(self._reader, name)


def _name(enrolment: str) -> str:
    return enrolment.removeprefix(collectors.PREFIX)
