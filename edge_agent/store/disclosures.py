"""The disclosure log: a hash chain over everything handed to the outbox, so that no entry can be changed.

The records themselves are kept beside it, for the school's own people. A record that was withdrawn before
it was delivered gets an entry of its own; the first one stays, since it may have been under way.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from typing import Any

GENESIS = "0" * 64
WITHDRAWN = "withdrawn"


def disclose(connection: sqlite3.Connection, *, at: str, kind: str, number: int, payload: bytes) -> None:
    """Append one record that leaves as batch `number` of the link (RFC 3339 time, kind, its bytes)."""
    _append(connection, (at, kind, number, len(payload), hashlib.sha256(payload).hexdigest()), payload)


def withdraw(connection: sqlite3.Connection, *, at: str, numbers: Iterable[int]) -> None:
    """Append that these records were taken back before the hub had acknowledged them."""
    for number in numbers:
        row = connection.execute(
            "SELECT sha256 FROM disclosures WHERE number = ? AND kind != ?", (number, WITHDRAWN)
        ).fetchone()
        _append(connection, (at, WITHDRAWN, number, 0, row[0] if row else ""), None)


def shown(row: sqlite3.Row, records: bool) -> dict[str, Any]:
    """One entry for the school's own people, with the record it stands for if they ask for it."""
    entry = {name: row[name] for name in row.keys() if name != "payload"}  # noqa: SIM118 - a Row iterates values
    if records:
        entry["record"] = json.loads(row["payload"]) if row["payload"] else None
    return entry


def verify(connection: sqlite3.Connection) -> tuple[int, int | None]:
    """How many entries there are, and the first that is missing or whose hash does not follow.

    A record whose bytes are kept must have the entry's hash; every batch that the outbox ever took must
    have its entry, so that a log cut short is noticed.
    """
    before, count = GENESIS, 0
    for *entry, chain, payload in connection.execute("SELECT * FROM disclosures ORDER BY seq"):
        count += 1
        whole = payload is None or hashlib.sha256(payload).hexdigest() == entry[5]
        if entry[0] != count or not whole or _link(before, tuple(entry)) != chain:
            return count, entry[0]
        before = chain
    (taken,) = connection.execute("SELECT last FROM outbox_state").fetchone()
    (logged,) = connection.execute("SELECT coalesce(max(number), 0) FROM disclosures").fetchone()
    return count, None if logged == taken else count + 1


def _append(
    connection: sqlite3.Connection, what: tuple[str, str, int, int, str], payload: bytes | None
) -> None:
    last = connection.execute("SELECT seq, chain FROM disclosures ORDER BY seq DESC LIMIT 1").fetchone()
    seq, before = (last[0] + 1, last[1]) if last else (1, GENESIS)
    entry = (seq, *what)
    connection.execute(
        "INSERT INTO disclosures VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*entry, _link(before, entry), payload)
    )


def _link(before: str, entry: tuple[int, str, str, int, int, str]) -> str:
    text = "\n".join((before, *(str(value) for value in entry)))
    return hashlib.sha256(text.encode()).hexdigest()
