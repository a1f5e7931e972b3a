"""Who may send signals from other machines: their keys, what they are told, how far each has read."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Final

from edge_agent.parcel import Parcel
from edge_agent.remote.admission import admit
from edge_agent.remote.telling import Teller
from edge_agent.store import collectors
from shared.errors import BadInput
from shared.link import invitations
from shared.storage import Writer, reader

SILENT_SECONDS: Final = 120.0  # a collector that says nothing for longer holds up no lesson


class Members:
    """Called from the intake's thread, but for `read_until` and `close`."""

    def __init__(
        self, writer: Writer, teller: Teller, apps: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._writer = writer
        self._teller = teller
        self._apps = apps
        self._monotonic = monotonic
        self._reader: sqlite3.Connection = reader(writer.path)
        self._kinds: dict[str, str] = {}  # name -> kind, of those that joined
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
        return admit(parcel, source=name, kind=kind, apps=self._apps, table_of=self._teller.table)

    def heard(self, parcel: Parcel) -> None:
        """A parcel from another machine is on disk."""
        before, _ = self._read.get(parcel.source, (float("-inf"), 0.0))
        until = before if parcel.read_until is None else float(parcel.read_until)
        self._read[parcel.source] = until, self._monotonic()

    def read_until(self, now: float) -> float:
        """The moment (seconds UTC) up to which every collector that is heard has read; `now` without any."""
        oldest = self._monotonic() - SILENT_SECONDS
        return min((until for until, heard in list(self._read.values()) if heard >= oldest), default=now)

    def sources(self) -> list[tuple[str, str, str]]:
        """Name, kind and state in words of every collector that may send; from any thread."""
        connection = reader(self._writer.path)
        try:
            enrolled = [one for one in collectors.listed(connection) if one.revoked is None]
        finally:
            connection.close()
        kinds = {one.name: one.kind for one in enrolled}
        return [(name, kind, self._state(name)) for name, kind in kinds.items()]

    def _state(self, name: str) -> str:
        found = self._read.get(name)
        if found is None:
            return "read on another machine; not heard since this agent started"
        minutes = int((self._monotonic() - found[1]) // 60)
        ago = f", silent for {minutes} min" if self._monotonic() - found[1] > SILENT_SECONDS else ""
        return f"read on another machine{ago}"

    def close(self) -> None:
        """Let the file go."""
        self._reader.close()

    def _kind(self, name: str) -> str | None:
        if name not in self._kinds:
            self._kinds = {one.name: one.kind for one in collectors.listed(self._reader)}
        return self._kinds.get(name)


def _name(enrolment: str) -> str:
    return enrolment.removeprefix(collectors.PREFIX)
