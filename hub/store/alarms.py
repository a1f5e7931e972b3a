"""What somebody should look at: keys and records that do not belong; raised, counted up, cleared.

One row a school, reason and fingerprint. A school's agent, or whoever holds its invitation, can make keys
without end, so that only so many of them are named.
"""

import sqlite3
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import structlog

from hub.store import enrolments
from shared import storage
from shared.errors import UsageError
from shared.link import invitations, keys

OTHER_KEY: Final = "other_key"
REVOKED_KEY: Final = "revoked_key"
ANOTHER_SCHOOL: Final = "another_school"
NOT_AS_DISCLOSED: Final = "not_as_disclosed"
LOG_WENT_BACK: Final = "log_went_back"
TWO_AGENTS: Final = "two_agents"
AHEAD: Final = "ahead"
FORGOTTEN: Final = "forgotten"
REASONS: Final = (
    *(OTHER_KEY, REVOKED_KEY, ANOTHER_SCHOOL, NOT_AS_DISCLOSED, LOG_WENT_BACK, TWO_AGENTS),
    *(AHEAD, FORGOTTEN),
)

# The refusals of records that are more than a fault.
OF_REFUSALS: Final[Mapping[str, str]] = MappingProxyType(
    {"record_of_another_school": ANOTHER_SCHOOL, "not_as_disclosed": NOT_AS_DISCLOSED}
)

NAMED: Final = 20  # fingerprints of one school and reason; further ones are counted under none
UNNAMED: Final = ""
DAY_S: Final = 86_400.0

_WRITE_S: Final = 1.0  # what keeps happening is written this often
_FRESH_S: Final = 0.05  # how old the list of refused keys may be that does not name a key that came
_FOLLOWED_S: Final = 600.0  # how long a key that another followed may still try
_REMEMBERED: Final = 4096  # schools whose last fenced greeting is remembered

_log = structlog.get_logger("hub")


def raise_alarm(
    connection: sqlite3.Connection, school_id: int, reason: str, fingerprint: str, at: float, by: int = 1
) -> None:
    """Raise an alarm, or count one up that stands; one that was cleared stands again."""
    connection.execute(
        "INSERT INTO alarms (school_id, reason, fingerprint, first, last, count) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (school_id, reason, fingerprint) DO UPDATE SET"
        " count = count + excluded.count, last = max(last, excluded.last), cleared = NULL",
        (school_id, reason, _named(connection, school_id, reason, fingerprint), at, at, by),
    ).close()


def settle(connection: sqlite3.Connection, public_key: str, at: float) -> None:
    """A key that was revoked is enrolled again: that it called meanwhile is settled."""
    connection.execute(
        "UPDATE alarms SET cleared = ? WHERE reason = ? AND fingerprint = ? AND cleared IS NULL",
        (at, REVOKED_KEY, keys.fingerprint(public_key)),
    ).close()


def clear(connection: sqlite3.Connection, which: str, at: float) -> int:
    """Clear the alarm of that number, or `all`; how many were cleared. Raises UsageError for no alarm."""
    if which == "all":
        return connection.execute("UPDATE alarms SET cleared = ? WHERE cleared IS NULL", (at,)).rowcount
    known = which.isascii() and which.isdigit() and len(which) < 18
    found = (
        connection.execute("UPDATE alarms SET cleared = coalesce(cleared, ?) WHERE id = ?", (at, int(which)))
        if known
        else None
    )
    if found is None or not found.rowcount:
        raise UsageError(f"no alarm has the number {which}: `alarms` lists them; give a number or `all`")
    return 1


def of_refusal(connection: sqlite3.Connection, school_id: int, reason: str, at: float) -> None:
    """Raise what the refusal of a record means, if it means more than a fault."""
    if reason in OF_REFUSALS:
        _warn_and_raise(connection, school_id, OF_REFUSALS[reason], _own(connection, school_id), at)


def of_broken_line(connection: sqlite3.Connection, school_id: int, at: float, by: int) -> None:
    """A school's disclosure log does not go on from where it was."""
    _warn_and_raise(connection, school_id, LOG_WENT_BACK, _own(connection, school_id), at, by)


def of_join(
    connection: sqlite3.Connection, public_key: str, secret: bytes, name: str, reason: str
) -> tuple[int, str] | None:
    """`(school, reason)` of the alarm that a refused request to join deserves, or None; only reads.

    A guess is none: it names no invitation. Neither is a mistake that touches no school's key.
    """
    school_id, followed = enrolments.refused_keys(connection).get(public_key, (0, True))
    if not followed:
        return school_id, REVOKED_KEY
    label = invitations.label_of(connection, secret)
    if label is None:
        return None
    meant = name if reason == "school_name_differs" else label
    row = connection.execute("SELECT id FROM schools WHERE name = ?", (meant,)).fetchone()
    if row is None:
        return None
    active = enrolments.active_keys(connection, row[0])
    taken = reason in ("invitation_used", "key_of_another_school") or bool(active)
    return (int(row[0]), OTHER_KEY) if taken and public_key not in active else None


def _named(connection: sqlite3.Connection, school_id: int, reason: str, fingerprint: str) -> str:
    held = [
        one
        for (one,) in connection.execute(
            "SELECT fingerprint FROM alarms WHERE school_id = ? AND reason = ?", (school_id, reason)
        )
    ]
    return fingerprint if fingerprint in held or len(held) < NAMED else UNNAMED


def _warn_and_raise(
    connection: sqlite3.Connection, school_id: int, reason: str, fingerprint: str, at: float, by: int = 1
) -> None:
    named = _named(connection, school_id, reason, fingerprint)
    row = connection.execute(
        "SELECT name, EXISTS (SELECT 1 FROM alarms WHERE school_id = schools.id AND reason = ?"
        " AND fingerprint = ? AND cleared IS NULL) FROM schools WHERE id = ?",
        (reason, named, school_id),
    ).fetchone()
    if row is not None and not row[1]:
        _log.warning("alarm", school=row[0], reason=reason, key=named)
    raise_alarm(connection, school_id, reason, fingerprint, at, by)


def _own(connection: sqlite3.Connection, school_id: int) -> str:
    active = enrolments.active_keys(connection, school_id)
    return keys.fingerprint(active[0]) if active else UNNAMED


class Watch:
    """The alarms of a running hub that no transaction of its own brings: from the link's thread only.

    What keeps happening is counted in memory and written at most once a second, so that whoever knocks
    without end costs no writes.
    """

    def __init__(
        self,
        writer: storage.Writer,
        reader: sqlite3.Connection,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._waiting: Counter[tuple[int, str, str]] = Counter()  # school, reason, fingerprint
        self._written = float("-inf")
        self._refused: Mapping[str, tuple[int, bool]] = {}
        self._asked = float("-inf")
        self._followed: dict[str, float] = {}  # key that another followed: when it first came back
        self._fenced: OrderedDict[str, float] = OrderedDict()  # enrolment: when a greeting last was too old

    def join_refused(self, public_key: str, secret: bytes, name: str, reason: str) -> None:
        """A request to join was refused for this reason."""
        if found := of_join(self._reader, public_key, secret, name, reason):
            self._raise(*found, keys.fingerprint(public_key))

    def joined(self, public_key: str) -> None:
        """A key was enrolled: what is not written yet of its calls before is settled with the rest."""
        own = keys.fingerprint(public_key)
        for told in [one for one in self._waiting if one[1:] == (REVOKED_KEY, own)]:
            del self._waiting[told]
        self._refused, self._asked = {}, float("-inf")

    def knocked(self, public_key: str) -> None:
        """A key that is not enrolled connected, or spoke.

        One that another key followed is what an agent tries first when it fell over in between; who still
        comes with it later is a copy that lives on.
        """
        now = self._clock()
        if public_key not in self._refused and abs(now - self._asked) >= _FRESH_S:
            self._refused, self._asked = enrolments.refused_keys(self._reader), now
            self._followed = {key: at for key, at in self._followed.items() if key in self._refused}
        if public_key not in self._refused:
            return
        school_id, followed = self._refused[public_key]
        if not followed:
            self._raise(school_id, REVOKED_KEY, keys.fingerprint(public_key))
        elif now - self._followed.setdefault(public_key, now) >= _FOLLOWED_S:
            self._raise(school_id, TWO_AGENTS, keys.fingerprint(public_key))

    def greeted(self, enrolment: str, epoch: int, known_epoch: int) -> None:
        """A school's agent began at `epoch`, and the hub knows `known_epoch`.

        One outbox that is older than another may be a lost disk; twice in a day it is a copy that lives on.
        """
        if epoch >= known_epoch:
            return
        now = self._clock()
        before = self._fenced.pop(enrolment, None)
        self._fenced[enrolment] = now
        if len(self._fenced) > _REMEMBERED:
            self._fenced.popitem(last=False)
        if before is not None and abs(now - before) <= DAY_S:
            self._raise(int(enrolment), TWO_AGENTS, _own(self._reader, int(enrolment)))

    def ahead(self, enrolment: str) -> None:
        """What a school sends is of a time that has not come by this hub's clock."""
        self._raise(int(enrolment), AHEAD, _own(self._reader, int(enrolment)))

    def close(self) -> None:
        """Write what is counted."""
        if self._waiting:
            self._write(self._clock())

    def _raise(self, school_id: int, reason: str, fingerprint: str) -> None:
        new = (school_id, reason, fingerprint)
        if new not in self._waiting and len(self._waiting) >= _REMEMBERED:
            new = (school_id, reason, UNNAMED)
        self._waiting[new] += 1
        now = self._clock()
        if abs(now - self._written) >= _WRITE_S:
            self._write(now)

    def _write(self, now: float) -> None:
        raised, self._waiting, self._written = self._waiting, Counter(), now

        def write(own: sqlite3.Connection) -> None:
            for (school_id, reason, fingerprint), count in raised.items():
                _warn_and_raise(own, school_id, reason, fingerprint, now, count)

        try:
            self._writer.run(write)
        except sqlite3.Error:  # a full disk: the alarm waits for room, and nobody waits for the alarm
            self._waiting += raised
