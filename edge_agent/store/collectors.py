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
MOST_SOURCES: Final = 64  # a heartbeat names no more, those of agent.toml among them
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
    connection: sqlite3.Connection,
    name: str,
    kind: str,
    address: str,
    server_public: str,
    now: float,
    own_sources: int = 0,
) -> str:
    """A token with which a collector called `name` joins once; an earlier one that was not used is void.

    Raises UsageError for a name that is none, for a collector that has joined already, and for one more
    than the agent can tell of, beside its `own_sources`.
    """
    if not _NAME.match(name):
        raise UsageError(f"`{name[:80]}` is no name for a source: use a-z, 0-9, - and _")
    if _active_keys(connection, name):
        raise UsageError(f"{name} has joined already: `agent revoke` it first to let it join with a new key")
    invitations.cancel(connection, name, now)
    if own_sources + len(_names(connection, now)) >= MOST_SOURCES:
        raise UsageError(
            f"an agent has {MOST_SOURCES} sources at most: `agent revoke` one that is not needed"
        )
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
    """Refuse every key of a collector. Raises UsageError when there is nothing to revoke.

    Its place in its log stays, so that nothing counts twice when it is invited again; how its batches were
    numbered does not, so that a stolen key cannot shut it out.
    """
    changed = connection.execute(
        "UPDATE collectors SET revoked = ? WHERE name = ? AND revoked IS NULL", (now, name)
    ).rowcount
    changed += invitations.cancel(connection, name, now)
    if not changed:
        raise UsageError(f"no collector called `{name[:80]}` has a key: `agent collectors` lists them")
    connection.execute("UPDATE link_stream SET epoch = 0, last_seq = 0 WHERE enrolment = ?", (PREFIX + name,))


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


def followed(connection: sqlite3.Connection) -> dict[str, str]:
    """Keys that a newer one of the same collector took the place of, each with that one."""
    rows = connection.execute(
        "SELECT old.public_key, new.public_key FROM collectors old JOIN collectors new"
        " ON new.renews = old.public_key WHERE old.revoked IS NOT NULL"
        " AND (new.revoked IS NULL OR new.revoked > old.revoked)"
    )
    return dict(rows.fetchall())


def kind_of(connection: sqlite3.Connection, name: str) -> str | None:
    """What kind of source the collector reads; None for one that may not send."""
    row = connection.execute(
        "SELECT kind FROM collectors WHERE name = ? AND revoked IS NULL ORDER BY joined DESC", (name,)
    ).fetchone()
    return None if row is None else str(row[0])


def kinds(connection: sqlite3.Connection) -> frozenset[str]:
    """The kinds of source that are read on other machines."""
    rows = connection.execute("SELECT DISTINCT kind FROM collectors WHERE revoked IS NULL")
    return frozenset(kind for (kind,) in rows)


def _names(connection: sqlite3.Connection, now: float) -> set[str]:
    """Of collectors that may send, and of those that are invited."""
    found = connection.execute(
        "SELECT name FROM collectors WHERE revoked IS NULL"
        " UNION SELECT label FROM link_invitation WHERE used IS NULL AND expires > ?",
        (now,),
    )
    return {name for (name,) in found}


def _active_keys(connection: sqlite3.Connection, name: str) -> int:
    (count,) = connection.execute(
        "SELECT count(*) FROM collectors WHERE name = ? AND revoked IS NULL", (name,)
    ).fetchone()
    return int(count)
