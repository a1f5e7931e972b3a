"""Who the schools are: invited by name, enrolled by key, revoked; all inside the caller's transaction.

An enrolment on the link stands for a school, so that it outlives every change of its key.
"""

import re
import sqlite3
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.errors import BadInput, UsageError
from shared.link import invitations, ledger
from shared.link.succession import Succession

if TYPE_CHECKING:
    from sqlite_utils import Database

LIFETIME_S: Final = 14 * 24 * 3600.0
KEYS: Final = Succession("enrolments", "school_id")  # how a school's key is followed by another


@dataclass(frozen=True, slots=True)
class School:
    """A school's row."""

    id: int
    name: str


def invite(
    connection: sqlite3.Connection, name: str, simulated: bool, address: str, server_public: str, now: float
) -> str:
    """A token with which the agent of `name` joins once; an earlier one that was not used is void.

    Raises UsageError for a school that joined already, and when `simulated` contradicts what is known.
    """
    known = connection.execute("SELECT id, simulated FROM schools WHERE name = ?", (name,)).fetchone()
    if known is None:
        connection.execute(
            "INSERT INTO schools (slug, name, simulated, invited) VALUES (?, ?, ?, ?)",
            (_new_slug(connection, name), name, int(simulated), now),
        ).close()
    elif bool(known[1]) != simulated:
        other = "simulated" if known[1] else "a real school"
        raise UsageError(f"{name} is known as {other}: give a school of the other kind another name")
    elif _active_keys(connection, known[0]):
        raise UsageError(f"{name} has joined already: `revoke` it first to let its agent join with a new key")
    invitations.cancel(connection, name, now)
    return invitations.create(
        connection, address=address, server_public=server_public, label=name, now=now, lifetime=LIFETIME_S
    )


def enrol(connection: sqlite3.Connection, public_key: str, secret: bytes, name: str, now: float) -> str:
    """Spend an invitation: the key now stands for its school; returns the enrolment.

    Raises BadInput for a bad or spent secret, an agent set up under another school's name, a school that
    has another key, a key of another school, and one that was revoked since its invitation.
    """
    spent = invitations.spend(connection, secret, public_key, now)
    if name != spent.label:
        raise BadInput("school_name_differs", "the invitation is for a school of another name")
    school = named(connection, spent.label)
    known = connection.execute(
        "SELECT school_id, revoked FROM enrolments WHERE public_key = ?", (public_key,)
    ).fetchone()
    if known is not None and known[0] != school.id:
        raise BadInput("key_of_another_school")
    revoked = known is not None and known[1] is not None
    if revoked and spent.again:
        raise BadInput("revoked")
    if known is None or revoked:
        if _active_keys(connection, school.id):
            raise BadInput("key_changed", "the school has another key")
        connection.execute(
            "INSERT INTO enrolments (public_key, school_id, joined) VALUES (?, ?, ?)"
            " ON CONFLICT (public_key) DO UPDATE SET revoked = NULL",
            (public_key, school.id, now),
        ).close()
    return str(school.id)


def revoke(connection: sqlite3.Connection, school: str, now: float) -> str:
    """Refuse every key of the school named, or slugged, `school`; returns its name.

    Where its stream stood is forgotten, so that an outbox that joins again is heard, whatever a stolen key
    said in between. Raises UsageError when there is no such school or nothing to revoke.
    """
    found = called(connection, school)
    changed = connection.execute(
        "UPDATE enrolments SET revoked = ? WHERE school_id = ? AND revoked IS NULL", (now, found.id)
    )
    if not changed.rowcount:
        raise UsageError(f"{found.name} has no key to revoke: it never joined, or was revoked before")
    ledger.forget(connection, str(found.id))
    return found.name


def enrolled(connection: sqlite3.Connection) -> dict[str, str]:
    """Public keys that may talk, each with its enrolment."""
    rows = connection.execute("SELECT public_key, school_id FROM enrolments WHERE revoked IS NULL")
    return {public_key: str(school_id) for public_key, school_id in rows}


def active_keys(connection: sqlite3.Connection, school_id: int) -> list[str]:
    """The keys that stand for a school, the newest first."""
    rows = connection.execute(
        "SELECT public_key FROM enrolments WHERE school_id = ? AND revoked IS NULL ORDER BY joined DESC",
        (school_id,),
    )
    return [public_key for (public_key,) in rows]


def refused_keys(connection: sqlite3.Connection) -> dict[str, tuple[int, bool]]:
    """Keys that spoke once and may no more: of which school, and whether it was followed by another."""
    rows = connection.execute(
        "SELECT public_key, school_id, public_key IN (SELECT renews FROM enrolments) FROM enrolments"
        " WHERE revoked IS NOT NULL"
    )
    return {public_key: (school_id, bool(followed)) for public_key, school_id, followed in rows}


def called(connection: sqlite3.Connection, school: str) -> School:
    """The school of that name or slug; raises UsageError where there is none."""
    row = connection.execute(
        "SELECT id, name FROM schools WHERE name = ? OR slug = ?", (school, school)
    ).fetchone()
    if row is None:
        raise UsageError(f"no school is called {school}: `schools` lists them")
    return School(*row)


def named(connection: sqlite3.Connection, name: str) -> School:
    """The school of that name."""
    return School(*connection.execute("SELECT id, name FROM schools WHERE name = ?", (name,)).fetchone())


def slug_of(name: str) -> str:
    """A name as an address: ASCII letters and digits with hyphens between."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "school"


def _new_slug(connection: sqlite3.Connection, name: str) -> str:
    base = slug = slug_of(name)
    number = 1
    while connection.execute("SELECT 1 FROM schools WHERE slug = ?", (slug,)).fetchone():
        number += 1
        slug = f"{base}-{number}"
    return slug


def add_index(db: "Database") -> None:
    """A migration step: the keys are looked up school by school for every page of the district."""
    db.table("enrolments").create_index(["school_id"])


def _active_keys(connection: sqlite3.Connection, school_id: int) -> int:
    (count,) = connection.execute(
        "SELECT count(*) FROM enrolments WHERE school_id = ? AND revoked IS NULL", (school_id,)
    ).fetchone()
    return int(count)
