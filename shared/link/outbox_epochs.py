"""The epochs of an outbox: where it stands after a WELCOME, and when its batches are counted anew."""

import sqlite3

from shared.link import outbox
from shared.link.frames import WINDOW


def resume(
    connection: sqlite3.Connection, last_seq: int, now: float, now_ms: int, *, ours: bool | None = None
) -> int:
    """Stand where the receiver stands; returns the epoch in force.

    A receiver that lost its memory (restored from a backup) is sent again what is kept. One that has
    more than this outbox can have sent, or whose newest batch of this epoch is not `ours`, shows that this
    file went back in time instead: the batches that wait are sent under a new epoch, rather than taken for
    those of the lost one. Where nobody can tell (None), more than was on its way cannot have been sent.
    """
    current, base, last, acked = connection.execute(
        "SELECT epoch, base, last, acked FROM outbox_state"
    ).fetchone()
    number = base + last_seq
    # At 0 the receiver has nothing of this epoch that could be mistaken.
    another = last_seq > 0 and (number > acked + WINDOW if ours is None else not ours)
    if another or number > last:
        return renew(connection, current, now_ms)
    if number >= acked:
        outbox.settle(connection, last_seq, now)
    else:
        connection.execute(
            "UPDATE outbox SET state = 'pending', settled = NULL, reason = NULL"
            " WHERE number > ? AND state IN ('sent', 'aside')",
            (number,),
        )
        connection.execute("UPDATE outbox_state SET acked = ?", (number,))
    return int(current)


def outdated(connection: sqlite3.Connection, current: int, now_ms: int) -> int | None:
    """What to do when the receiver knows the newer epoch `current`: a newer one still, or None to rest.

    An epoch that the receiver took no part in yet may be too old only because a clock was wrong when it
    began. One that it did is fenced for a reason: another outbox sends in its place.
    """
    (untouched,) = connection.execute("SELECT acked = base FROM outbox_state").fetchone()
    return renew(connection, current, now_ms) if untouched else None


def renew(connection: sqlite3.Connection, above: int, now_ms: int) -> int:
    """Begin a new epoch, newer than `above`, with what is not settled yet; returns it."""
    [(renewed,)] = connection.execute(
        "UPDATE outbox_state SET epoch = max(epoch + 1, ? + 1, ?), base = acked, renewals = renewals + 1"
        " RETURNING epoch",
        (above, now_ms),
    ).fetchall()
    return int(renewed)
