"""The durable outbox: what a sender accepted, as tables in the caller's own SQLite file.

A batch has a number for ever (what `append` returns); on the wire it is counted from the epoch's base.
What was sent is kept, so that a receiver restored from a backup can ask for it again, until `prune_sent`.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.errors import BadInput, BusyError
from shared.link.feed import Item
from shared.link.frames import MAX_PAYLOAD, MAX_POSITION

if TYPE_CHECKING:
    from sqlite_utils import Database

BUDGET: Final = 256 * 1024 * 1024  # bytes of payload on disk
_GONE: Final = Item(b"")
_EMPTY: Final = ("withdrawn", "retried", "dropped")  # states without bytes


class OutboxFull(BusyError):  # noqa: N818 - it names what happened
    """Too much waits for the receiver: stop accepting until it answers. Nothing was dropped."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many batches are in each state, bytes of payload on disk, and epochs begun after the first."""

    pending: int
    sent: int
    aside: int
    withdrawn: int
    bytes: int
    epoch: int
    renewals: int


def create_tables(db: "Database", now_ms: Callable[[], int] | None = None) -> None:
    """A migration step; the epoch is the time it runs, in milliseconds since 1970.

    outbox: state is `pending`, `sent`, `aside` (refused for good), or `withdrawn`, `retried`, `dropped`
    (no bytes left). outbox_state, one row: wire seq = number - base; everything up to number `acked` is
    settled; `budget` is the most bytes that may wait.
    """
    table = db.table("outbox").create(
        {
            "number": int,
            "kind": str,
            "payload": bytes,
            "created": float,
            "state": str,
            "settled": float,
            "reason": str,
            "position": bytes,
        },
        pk="number",
        not_null={"kind", "payload", "created", "state"},
    )
    table.create_index(["state", "number"])
    db.table("outbox_state").create(
        {
            "id": int,
            "epoch": int,
            "base": int,
            "last": int,
            "acked": int,
            "bytes": int,
            "renewals": int,
            "budget": int,
        },
        pk="id",
    )
    began = now_ms() if now_ms else time.time_ns() // 1_000_000
    db.conn.execute("INSERT INTO outbox_state VALUES (1, ?, 0, 0, 0, 0, 0, ?)", (began, BUDGET))


def add_position(db: "Database") -> None:
    """A migration step, for files whose tables were made before a batch could carry a position."""
    if "position" not in db.table("outbox").columns_dict:
        db.conn.execute("ALTER TABLE outbox ADD COLUMN position BLOB")


def add_budget(db: "Database") -> None:
    """A migration step, for files whose tables were made before the budget was kept beside them."""
    if "budget" not in db.table("outbox_state").columns_dict:
        db.conn.execute(f"ALTER TABLE outbox_state ADD COLUMN budget INTEGER DEFAULT {BUDGET:d}")


def set_budget(connection: sqlite3.Connection, budget: int) -> None:
    """How many bytes may wait in this file from now on, whichever process appends."""
    connection.execute("UPDATE outbox_state SET budget = ?", (budget,))


def append(
    connection: sqlite3.Connection,
    kind: str,
    payload: bytes,
    *,
    now: float | None = None,
) -> int:
    """Accept one batch inside the caller's transaction; returns its number, from 1, never reused.

    Raises BadInput for an empty payload or one over 64 KiB, and OutboxFull when the budget's bytes wait
    unsent; batches already sent make room first, the oldest first.
    """
    if not 0 < len(payload) <= MAX_PAYLOAD:
        raise BadInput("payload_size", f"{len(payload)} bytes, allowed 1 to {MAX_PAYLOAD}")
    used, budget = connection.execute("SELECT bytes, budget FROM outbox_state").fetchone()
    if used + len(payload) > budget:
        used = _make_room(connection, used + len(payload) - budget + budget // 16)
        if used + len(payload) > budget:
            raise OutboxFull(
                f"{used} bytes wait to be sent, the outbox holds {budget}: reconnect the receiver to go on"
            )
    [(number,)] = connection.execute(
        "UPDATE outbox_state SET last = last + 1, bytes = bytes + ? RETURNING last", (len(payload),)
    ).fetchall()
    connection.execute(
        "INSERT INTO outbox (number, kind, payload, created, state) VALUES (?, ?, ?, ?, 'pending')",
        (number, kind, payload, time.time() if now is None else now),
    )
    return int(number)


def put_position(connection: sqlite3.Connection, number: int, position: bytes) -> None:
    """What goes with batch `number` and comes back in WELCOME once the receiver has it (at most 1 KiB).

    Raises BadInput for a longer one.
    """
    if len(position) > MAX_POSITION:
        raise BadInput("position_size", f"{len(position)} bytes, allowed {MAX_POSITION}")
    connection.execute("UPDATE outbox SET position = ? WHERE number = ?", (position, number))


def withdraw(connection: sqlite3.Connection, numbers: Iterable[int]) -> int:
    """Take the bytes of these batches away for good, sent or not; each keeps its place in line.

    Returns how many had not been acknowledged yet.
    """
    unsent = 0
    for number in numbers:
        row = connection.execute("SELECT state FROM outbox WHERE number = ?", (number,)).fetchone()
        if row is None or row[0] in _EMPTY:
            continue
        unsent += row[0] == "pending"
        connection.execute("UPDATE outbox SET payload = x'', state = 'withdrawn' WHERE number = ?", (number,))
    recount(connection)
    return unsent


def prune_sent(connection: sqlite3.Connection, before: float) -> int:
    """Forget batches acknowledged before this time (seconds since 1970); returns how many."""
    cursor = connection.execute(
        "DELETE FROM outbox WHERE settled < ? AND state IN ('sent', 'withdrawn', 'retried', 'dropped')"
        " AND number <= (SELECT acked FROM outbox_state)",
        (before,),
    )
    recount(connection)
    return cursor.rowcount


def counts(connection: sqlite3.Connection) -> Counts:
    """The outbox at a glance."""
    by_state = dict(connection.execute("SELECT state, count(*) FROM outbox GROUP BY state").fetchall())
    rest = connection.execute("SELECT bytes, epoch, renewals FROM outbox_state").fetchone()
    pending, sent, aside, withdrawn = (
        by_state.get(state, 0) for state in ("pending", "sent", "aside", "withdrawn")
    )
    return Counts(pending, sent, aside, withdrawn, *rest)


def is_full(connection: sqlite3.Connection) -> bool:
    """Whether there may be no room for one more batch, even if all that was sent were forgotten."""
    return (
        room_left(connection) < MAX_PAYLOAD and unsent_bytes(connection) > _budget(connection) - MAX_PAYLOAD
    )


def room_left(connection: sqlite3.Connection) -> int:
    """Bytes of the budget that nothing uses, not even what was sent already; known at once."""
    (left,) = connection.execute("SELECT budget - bytes FROM outbox_state").fetchone()
    return int(left)


def _budget(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT budget FROM outbox_state").fetchone()[0])


def unsent_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of payload that wait, or were set aside; reads every such row."""
    (found,) = connection.execute(
        "SELECT coalesce(sum(length(payload)), 0) FROM outbox WHERE state IN ('pending', 'aside')"
    ).fetchone()
    return int(found)


def epoch(connection: sqlite3.Connection) -> int:
    """The epoch in force."""
    return int(connection.execute("SELECT epoch FROM outbox_state").fetchone()[0])


def tail(connection: sqlite3.Connection) -> int:
    """The newest wire number of the epoch in force; 0 when it has none."""
    return int(connection.execute("SELECT last - base FROM outbox_state").fetchone()[0])


def read(connection: sqlite3.Connection, first: int, last: int) -> list[Item]:
    """The batches with wire numbers `first` to `last`; those that are gone come back empty."""
    (base,) = connection.execute("SELECT base FROM outbox_state").fetchone()
    rows = connection.execute(
        "SELECT number, payload, position FROM outbox WHERE number BETWEEN ? AND ?",
        (base + first, base + last),
    ).fetchall()
    items = {number: Item(payload, position) for number, payload, position in rows}
    return [items.get(base + seq, _GONE) for seq in range(first, last + 1)]


def settle(connection: sqlite3.Connection, seq: int, now: float) -> None:
    """The receiver has everything up to wire number `seq`."""
    connection.execute(
        "UPDATE outbox SET settled = ?, state = iif(state = 'pending', 'sent', state)"
        " WHERE number > (SELECT acked FROM outbox_state)"
        " AND number <= ? + (SELECT base FROM outbox_state)",
        (now, seq),
    )
    connection.execute("UPDATE outbox_state SET acked = max(acked, base + ?)", (seq,))


def set_aside(connection: sqlite3.Connection, seq: int, reason: str) -> None:
    """The receiver will never take wire number `seq`: keep it apart, with the reason, for people to see."""
    connection.execute(
        "UPDATE outbox SET state = 'aside', reason = ?"
        " WHERE number = ? + (SELECT base FROM outbox_state) AND state IN ('pending', 'sent')",
        (reason, seq),
    )


def recount(connection: sqlite3.Connection) -> int:
    """Bring the bytes on disk up to date after some were taken away; returns them."""
    connection.execute(
        "UPDATE outbox_state SET bytes = (SELECT coalesce(sum(length(payload)), 0) FROM outbox)"
    )
    (used,) = connection.execute("SELECT bytes FROM outbox_state").fetchone()
    return int(used)


def _make_room(connection: sqlite3.Connection, wanted: int) -> int:
    freed = 0
    rows = connection.execute(
        "SELECT number, length(payload) FROM outbox WHERE state = 'sent' ORDER BY number"
    ).fetchall()
    for number, size in rows:
        if freed >= wanted:
            break
        connection.execute("DELETE FROM outbox WHERE number = ?", (number,))
        freed += size
    return recount(connection)
