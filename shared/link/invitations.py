"""One-time invitations: one line of text to carry to the other machine; only the secret's hash stays here."""

import base64
import hashlib
import re
import secrets
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from shared.errors import BadInput, CommonGroundError, UsageError
from shared.link.sockets import check_address

if TYPE_CHECKING:
    from sqlite_utils import Database

_PREFIX: Final = "cg1."
_CHECK_BYTES: Final = 8
_TOKEN: Final = re.compile(r"cg1\.[A-Za-z0-9_-]{60,800}\Z")
_PUBLIC: Final = re.compile(r"[!-~]{40}\Z")
_HINT: Final = "ask for a new invitation and copy it whole"
_ALTERED: Final = f"this invitation was altered on its way: {_HINT}"


class Token(msgspec.Struct, frozen=True, array_like=True):
    """What an invitation says: where to knock, whom to expect there, and what to say, until when."""

    address: str
    server_public: str
    secret: bytes
    expires: int  # seconds since 1970


def encode(token: Token) -> str:
    """The token as one line of text; the `1` in its first letters is the version."""
    body = msgspec.msgpack.encode(token)
    return _PREFIX + base64.urlsafe_b64encode(_check(body) + body).decode().rstrip("=")


def decode(text: str) -> Token:
    """Read a token that a person pasted. Raises UsageError with one line."""
    line = "".join(text.split()) if len(text) < 2000 else ""
    if not _TOKEN.match(line):
        version = "made by another version" if re.match(r"cg[0-9]+\.", line) else "not an invitation"
        raise UsageError(f"this is {version}: {_HINT}")
    try:
        data = base64.b64decode(line[len(_PREFIX) :] + "=" * (-(len(line) - len(_PREFIX)) % 4), b"-_", True)
        check, body = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
        token = msgspec.msgpack.decode(body, type=Token)
        check_address(token.address)
    except (ValueError, msgspec.DecodeError, CommonGroundError):
        raise UsageError(_ALTERED) from None
    sound = check == _check(body) and encode(token) == line and _PUBLIC.match(token.server_public)
    if not sound or not 16 <= len(token.secret) <= 64:
        raise UsageError(_ALTERED)
    return token


def create_tables(db: "Database") -> None:
    """A migration step. One row an invitation, used or not; times in seconds since 1970."""
    db.table("link_invitation").create(
        {
            "hash": bytes,
            "label": str,
            "note": str,
            "created": float,
            "expires": float,
            "used": float,
            "used_by": str,
        },
        pk="hash",
        not_null={"label", "note", "created", "expires"},
    )


def create(
    connection: sqlite3.Connection,
    *,
    address: str,
    server_public: str,
    label: str,
    now: float,
    lifetime: float,
    note: str = "",
) -> str:
    """Invite whoever carries the returned text, once, within `lifetime` seconds.

    `label` and `note` are ours (who is invited, on what terms) and come back from `spend`.
    """
    secret = secrets.token_bytes(24)
    token = Token(check_address(address), server_public, secret, int(now + lifetime))
    connection.execute(
        "INSERT INTO link_invitation (hash, label, note, created, expires) VALUES (?, ?, ?, ?, ?)",
        (_hash(secret), label, note, now, token.expires),
    )
    return encode(token)


@dataclass(frozen=True, slots=True)
class Spent:
    """What the invitation was for; `again` when this very key had used it before."""

    label: str
    note: str
    again: bool


def look(connection: sqlite3.Connection, secret: bytes, public_key: str, now: float) -> Spent:
    """What `spend` would give, or raise, for this key now; only reads."""
    row = connection.execute(
        "SELECT label, note, expires, used_by FROM link_invitation WHERE hash = ?", (_hash(secret),)
    ).fetchone()
    if row is None:
        raise BadInput("invitation_unknown")
    label, note, expires, used_by = row
    if used_by is not None:
        if used_by != public_key:
            raise BadInput("invitation_used")
        return Spent(label, note, again=True)
    if now >= expires:
        raise BadInput(
            "invitation_replaced" if _replaced(connection, label, expires) else "invitation_expired"
        )
    return Spent(label, note, again=False)


def label_of(connection: sqlite3.Connection, secret: bytes) -> str | None:
    """Whom the invitation with this secret is for, open or not; None for a guess."""
    row = connection.execute("SELECT label FROM link_invitation WHERE hash = ?", (_hash(secret),)).fetchone()
    return None if row is None else str(row[0])


def spend(connection: sqlite3.Connection, secret: bytes, public_key: str, now: float) -> Spent:
    """Use an invitation for this key. The same key may repeat itself, for its answer may have been lost.

    Raises BadInput: `invitation_unknown`, `invitation_used`, `invitation_expired`, and `invitation_replaced`
    where a newer one was made as this one was cancelled.
    """
    found = look(connection, secret, public_key, now)
    if not found.again:
        connection.execute(
            "UPDATE link_invitation SET used = ?, used_by = ? WHERE hash = ?",
            (now, public_key, _hash(secret)),
        )
    return found


def any_open(connection: sqlite3.Connection, now: float) -> bool:
    """Whether an invitation waits to be used: what `Inbox.inviting` answers."""
    query = "SELECT EXISTS (SELECT 1 FROM link_invitation WHERE used IS NULL AND expires > ?)"
    return bool(connection.execute(query, (now,)).fetchone()[0])


def waiting(connection: sqlite3.Connection, label: str, now: float) -> int:
    """How many invitations with this label wait to be used."""
    query = "SELECT count(*) FROM link_invitation WHERE label = ? AND used IS NULL AND expires > ?"
    return int(connection.execute(query, (label, now)).fetchone()[0])


def cancel(connection: sqlite3.Connection, label: str, now: float) -> int:
    """Close the open invitations with this label; returns how many.

    One that is made at the same `now` is what replaced them.
    """
    return connection.execute(
        "UPDATE link_invitation SET expires = ? WHERE label = ? AND used IS NULL AND expires > ?",
        (now, label, now),
    ).rowcount


def _replaced(connection: sqlite3.Connection, label: str, cancelled: float) -> bool:
    query = "SELECT EXISTS (SELECT 1 FROM link_invitation WHERE label = ? AND created = ?)"
    return bool(connection.execute(query, (label, cancelled)).fetchone()[0])


def _check(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECK_BYTES, person=b"cg-invite").digest()


def _hash(secret: bytes) -> bytes:
    return hashlib.blake2b(secret, digest_size=32, person=b"cg-invite").digest()
