"""The disclosure log: a hash chain over everything handed to the outbox, so that no entry can be changed."""

import hashlib
import sqlite3

GENESIS = "0" * 64


def disclose(connection: sqlite3.Connection, *, at: str, kind: str, number: int, payload: bytes) -> None:
    """Append one record that leaves as batch `number` of the link (RFC 3339 time, kind, its bytes)."""
    last = connection.execute("SELECT seq, chain FROM disclosures ORDER BY seq DESC LIMIT 1").fetchone()
    seq, before = (last[0] + 1, last[1]) if last else (1, GENESIS)
    digest = hashlib.sha256(payload).hexdigest()
    entry = (seq, at, kind, number, len(payload), digest)
    connection.execute("INSERT INTO disclosures VALUES (?, ?, ?, ?, ?, ?, ?)", (*entry, _link(before, entry)))


def verify(connection: sqlite3.Connection) -> tuple[int, int | None]:
    """How many entries there are, and the first whose hash does not follow from the one before."""
    before, count = GENESIS, 0
    for *entry, chain in connection.execute("SELECT * FROM disclosures ORDER BY seq"):
        count += 1
        if entry[0] != count or _link(before, tuple(entry)) != chain:
            return count, entry[0]
        before = chain
    return count, None


def _link(before: str, entry: tuple[int, str, str, int, int, str]) -> str:
    text = "\n".join((before, *(str(value) for value in entry)))
    return hashlib.sha256(text.encode()).hexdigest()
