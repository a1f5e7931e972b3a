"""The disclosure log: a hash chain over everything handed to the outbox, so that no entry can be changed.

The records themselves are kept beside it, sealed for the school's own people. A record that was withdrawn
before it was delivered gets an entry of its own; the first one stays, since it may have been under way.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable
from typing import Any, Final

from edge_agent.leaving import school_key
from edge_agent.leaving.school_key import Opener
from edge_agent.store import disclosed_fields
from shared.disclosure import GENESIS, Entry, digest, follows, link, pack
from shared.link import outbox
from shared.storage import snapshot

WITHDRAWN: Final = "withdrawn"
SEALED_AT_ONCE: Final = 500  # earlier records a transaction


def adopt_key(connection: sqlite3.Connection, public: bytes) -> None:
    """Records are sealed for this key from now on."""
    connection.execute(
        "INSERT INTO disclosure_key VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET public = excluded.public",
        (public,),
    )


def seal_earlier(connection: sqlite3.Connection) -> int:
    """Seal some of the records that an older program kept as they were; how many, 0 when none is left."""
    key = _key(connection)
    found = connection.execute(
        "SELECT seq, at, kind, payload FROM disclosures WHERE sealed IS NULL AND payload IS NOT NULL LIMIT ?",
        (SEALED_AT_ONCE if key else 0,),
    ).fetchall()
    for seq, at, kind, payload in found:
        disclosed_fields.count(connection, at=at, kind=kind, payload=payload)
        connection.execute(
            "UPDATE disclosures SET payload = ?, sealed = ? WHERE seq = ?", (*_sealed(key, payload), seq)
        )
    return len(found)


def disclose(connection: sqlite3.Connection, *, at: str, kind: str, number: int, payload: bytes) -> Entry:
    """Append one record that leaves as batch `number` of the link, which carries the entry from now on.

    `at` is an RFC 3339 time. Before the agent first ran there is no key, and the record itself is not kept.
    """
    what = (at, kind, number, len(payload), digest(payload))
    entry = _append(connection, what, _sealed(_key(connection), payload))
    disclosed_fields.count(connection, at=at, kind=kind, payload=payload)
    outbox.put_position(connection, number, pack(entry))
    return entry


def withdraw(connection: sqlite3.Connection, *, at: str, numbers: Iterable[int]) -> None:
    """Append that these records were taken back before the hub had acknowledged them."""
    for number in numbers:
        row = connection.execute(
            "SELECT sha256 FROM disclosures WHERE number = ? AND kind != ?", (number, WITHDRAWN)
        ).fetchone()
        _append(connection, (at, WITHDRAWN, number, 0, row[0] if row else ""), (None, None))


def shown(row: sqlite3.Row, opener: Opener | None) -> dict[str, Any]:
    """One entry for the school's own people, with the record it stands for if they bring their key.

    `record` is null for an entry without one, and for one that this key does not open.
    """
    names = [name for name in row.keys() if name not in ("payload", "sealed")]  # noqa: SIM118 - a Row iterates values
    entry = {name: _plain(row[name]) for name in names}
    if opener is not None:
        payload = opened(opener, row["payload"], row["sealed"])
        entry["record"] = json.loads(payload) if payload else None
    return entry


def opened(opener: Opener, payload: bytes | None, sealed: str | None) -> bytes | None:
    """The record's bytes; None when there are none, or this key does not open them."""
    if not isinstance(payload, bytes):
        return None
    if sealed is None:
        return payload
    found = opener.open(payload)
    return None if found is None else zlib.decompress(found)


def verify(connection: sqlite3.Connection, opener: Opener | None = None) -> tuple[int, int | None]:
    """How many entries there are, and the first that is missing or whose hash does not follow.

    Every batch that the outbox ever took must have its entry, so that a log cut short is noticed. With the
    school's key every record that is sealed for it must open, to the bytes that its entry has the hash of.
    """
    with snapshot(connection):  # the agent may be writing
        return _verify(connection, opener)


def _verify(connection: sqlite3.Connection, opener: Opener | None) -> tuple[int, int | None]:
    before, count = GENESIS, 0
    for seq, at, kind, number, size, sha256, chain, payload, sealed in connection.execute(
        "SELECT seq, at, kind, number, bytes, sha256, chain, payload, sealed FROM disclosures ORDER BY seq"
    ):
        count += 1
        whole = opener is None or _whole(opener, payload, sealed, sha256)
        if seq != count or not whole or not follows(before, seq, at, kind, number, size, sha256, chain):
            return count, seq
        before = chain
    (taken,) = connection.execute("SELECT last FROM outbox_state").fetchone()
    (logged,) = connection.execute("SELECT coalesce(max(number), 0) FROM disclosures").fetchone()
    return count, None if logged == taken else count + 1


def _whole(opener: Opener, payload: bytes | None, sealed: str | None, sha256: str) -> bool:
    if payload is None or sealed not in (None, opener.name):
        return True  # nothing is kept, or only the holder of another key can say
    found = opened(opener, payload, sealed)
    return found is not None and digest(found) == sha256


def _plain(value: Any) -> Any:
    """A value of the log; bytes, which the log never writes, as text that can be shown."""
    return value.hex() if isinstance(value, bytes) else value


def _key(connection: sqlite3.Connection) -> bytes | None:
    row = connection.execute("SELECT public FROM disclosure_key").fetchone()
    return row[0] if row else None


def _sealed(key: bytes | None, payload: bytes) -> tuple[bytes | None, str | None]:
    if key is None:
        return None, None
    return school_key.seal(key, zlib.compress(payload)), school_key.name(key)


def _append(
    connection: sqlite3.Connection,
    what: tuple[str, str, int, int, str],
    kept: tuple[bytes | None, str | None],
) -> Entry:
    last = connection.execute("SELECT seq, chain FROM disclosures ORDER BY seq DESC LIMIT 1").fetchone()
    seq, before = (last[0] + 1, last[1]) if last else (1, GENESIS)
    at, kind, number, size, sha256 = what
    chain = link(before, seq, *what)
    connection.execute(
        "INSERT INTO disclosures (seq, at, kind, number, bytes, sha256, chain, payload, sealed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (seq, *what, chain, *kept),
    )
    return Entry(seq, before, chain, kind, number, size, sha256, at)
