"""A signal taken back by whoever reported it: out of its batch, as long as its lesson is not closed."""

import sqlite3
from typing import Final

import msgspec
import numpy as np

from edge_agent.store import counts
from shared import signals
from shared.errors import BadInput
from shared.signals import SignalBatch

WITHDRAWN: Final = "signal_voided"


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A signal as it lies in a batch: by the day's pseudonym, as everything there."""

    day: str
    class_code: str
    t: int
    device: int
    app: int
    action: int
    amount: float


def withdraw(connection: sqlite3.Connection, source: str, signal: Stored, apps: int) -> bool:
    """Take one such signal of the source away; False if it is not there, or its lesson is closed.

    A closed lesson stays as it is: its difference to another version of it would be about one device.
    """
    closed = connection.execute(
        "SELECT 1 FROM windows WHERE class_code = ? AND start <= ? AND ends > ?",
        (signal.class_code, signal.t, signal.t),
    ).fetchone()
    if closed is not None:
        return False
    found = connection.execute(
        "SELECT id, payload FROM batches WHERE day = ? AND t_max >= ? AND t_min <= ? AND source = ?",
        (signal.day, signal.t, signal.t, source),
    ).fetchall()
    for number, payload in found:
        try:
            batch = signals.decode(payload, apps=apps)
        except BadInput:  # stored under another catalogue: what it says stays
            continue
        at = _position(batch, signal)
        if at is not None:
            _rewrite(connection, number, _without(batch, at))
            _count(connection, source, signal)
            return True
    return False


def _position(batch: SignalBatch, signal: Stored) -> int | None:
    if signal.class_code not in batch.class_codes:
        return None
    same = (batch.t == signal.t) & (batch.device == np.uint64(signal.device)) & (batch.app == signal.app)
    same &= (batch.action == signal.action) & (batch.class_ == batch.class_codes.index(signal.class_code))
    same &= batch.amount == np.float32(signal.amount)
    return int(same.argmax()) if same.any() else None


def _without(batch: SignalBatch, at: int) -> SignalBatch:
    columns = {name: np.delete(getattr(batch, name), at) for name in _COLUMNS}
    return SignalBatch(batch.kind, batch.source, batch.catalogue, batch.day_key, batch.class_codes, **columns)


def _rewrite(connection: sqlite3.Connection, number: int, batch: SignalBatch) -> None:
    if not len(batch):
        # It stays, at no time that any lesson has: the number of a batch that is gone might be given again.
        connection.execute("UPDATE batches SET t_min = 0, t_max = 0, signals = 0 WHERE id = ?", (number,))
        return
    # Away and back with the same number: what is stored is measured as batches come and go.
    (day, kind, source) = connection.execute(
        "SELECT day, kind, source FROM batches WHERE id = ?", (number,)
    ).fetchone()
    connection.execute("DELETE FROM batches WHERE id = ?", (number,))
    connection.execute(
        """INSERT INTO batches (id, day, kind, source, t_min, t_max, signals, payload)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            *(number, day, kind, source, int(batch.t.min()), int(batch.t.max()), len(batch)),
            signals.encode(batch),
        ),
    )


def _count(connection: sqlite3.Connection, source: str, signal: Stored) -> None:
    connection.execute("UPDATE sources SET signals = signals - 1 WHERE id = ?", (source,))
    connection.execute("UPDATE minutes SET n = n - 1 WHERE minute = ?", (signal.t // 60,))
    counts.add_counts(connection, source, {"outside": {WITHDRAWN: 1}})


_COLUMNS: Final = ("t", "device", "class_", "app", "action", "amount")
