"""Collectors on other machines: invited by name, enrolled by key, revoked; inside the caller's transaction.

A collector's name is the id of its source. What it sent stays when it is revoked.
"""

import re
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.errors import BadInput, UsageError
from shared.link import invitations
from shared.link.succession import Succession

if TYPE_CHECKING:
    from sqlite_utils import Database

KEYS: Final = Succession("collectors", "name", ("kind",))
LIFETIME_S: Final = 24 * 3600.0
PREFIX: Final = "collector:"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One collector: its key, what kind of source it reads, when it joined and was revoked (since 1970)."""

    name: str
    kind: str
    public_key: str
    joined: float
    revoked: float | None


def add_tables(db: "Database") -> None:
    """A migration step: who may send signals from another machine."""
    invitations.create_tables(db)
    db.table("collectors").create(
        {"public_key": str, "name": str, "kind": str, "joined": float, "revoked": float},
        pk="public_key",
        not_null={"name", "kind", "joined"},
    )
    KEYS.add_column(db)


def invite(
    connection: sqlite3.Connection, name: str, kind: str, address: str, server_public: str, now: float
) -> str:
    """A token with which a collector called `name` joins once; an earlier one that was not used is void.

    Raises UsageError for a name that is none, and for a collector that has joined already.
    """
    if not _NAME.match(name):
        raise UsageError(f"`{name[:80]}` is no name for a source: use a-z, 0-9, - and _")
    if _active_keys(connection, name):
        raise UsageError(f"{name} has joined already: `agent revoke` it first to let it join with a new key")
    invitations.cancel(connection, name, now)
    return invitations.create(
        connection,
        address=address,
        server_public=server_public,
        label=name,
        note=kind,
        now=now,
        lifetime=LIFETIME_S,
    )


def enrol(connection: sqlite3.Connection, public_key: str, secret: bytes, now: float) -> str:
    """Spend an invitation: the key now stands for its source; returns the enrolment. Raises BadInput."""
    spent = invitations.spend(connection, secret, public_key, now)
    known = connection.execute(
        "SELECT name, revoked FROM collectors WHERE public_key = ?", (public_key,)
    ).fetchone()
    if known is not None and (known[0] != spent.label or known[1] is not None):
        raise BadInput("revoked" if known[1] is not None else "key_of_another_source")
    if known is None:
        if _active_keys(connection, spent.label):
            raise BadInput("key_changed", "this source has another key")
        connection.execute(
            "INSERT INTO collectors (public_key, name, kind, joined) VALUES (?, ?, ?, ?)",
            (public_key, spent.label, spent.note, now),
        )
    return PREFIX + spent.label


def revoke(connection: sqlite3.Connection, name: str, now: float) -> None:
    """Refuse every key of a collector. Raises UsageError when there is nothing to revoke."""
    changed = connection.execute(
        "UPDATE collectors SET revoked = ? WHERE name = ? AND revoked IS NULL", (now, name)
    ).rowcount
    changed += invitations.cancel(connection, name, now)
    if not changed:
        raise UsageError(f"no collector called `{name[:80]}` has a key: `agent collectors` lists them")


def enrolled(connection: sqlite3.Connection) -> dict[str, str]:
    """Public keys that may send, each with its enrolment."""
    rows = connection.execute("SELECT public_key, name FROM collectors WHERE revoked IS NULL")
    return {public_key: PREFIX + name for public_key, name in rows}


def listed(connection: sqlite3.Connection) -> list[Enrolled]:
    """Every collector that ever joined, by name, the newest key last."""
    rows = connection.execute(
        "SELECT name, kind, public_key, joined, revoked FROM collectors ORDER BY name, joined"
    )
    return [Enrolled(*row) for row in rows]


def kinds(connection: sqlite3.Connection) -> frozenset[str]:
    """The kinds of source that are read on other machines."""
    rows = connection.execute("SELECT DISTINCT kind FROM collectors WHERE revoked IS NULL")
    return frozenset(kind for (kind,) in rows)


def _active_keys(connection: sqlite3.Connection, name: str) -> int:
    (count,) = connection.execute(
        "SELECT count(*) FROM collectors WHERE name = ? AND revoked IS NULL", (name,)
    ).fetchone()
    return int(count)
