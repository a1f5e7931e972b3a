"""What a receiver has of each stream, as tables in the caller's own SQLite file.

The effect of a batch and the advance of its stream are one transaction: both or neither.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from shared.errors import BadInput
from shared.link.frames import WINDOW, Rejection
from shared.link.receiver import (
    Delivery,
    Fenced,
    Missing,
    Outcome,
    Rejected,
    Settled,
    Standing,
    Verdict,
    judge,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

STREAMS_AN_ENROLMENT: Final = 256  # a mad peer cannot fill the table
REJECTIONS_KEPT: Final = 1000  # of each stream

Effect = Callable[[sqlite3.Connection, Delivery], None]


def create_tables(db: "Database") -> None:
    """A migration step.

    link_stream: one row a stream; `epochs` counts the epochs seen (each after the first is an outbox lost
    or renewed, or a collector started again). link_rejection: what was refused for good, and why.
    """
    db.table("link_stream").create(
        {
            "enrolment": str,
            "stream": str,
            "epoch": int,
            "last_seq": int,
            "position": bytes,
            "epochs": int,
            "rejected": int,
        },
        pk=("enrolment", "stream"),
        not_null={"epoch", "last_seq", "epochs", "rejected"},
    )
    db.table("link_rejection").create(
        {"id": int, "enrolment": str, "stream": str, "epoch": int, "seq": int, "reason": str}, pk="id"
    ).create_index(["enrolment", "stream", "epoch", "seq"])


def hello(connection: sqlite3.Connection, enrolment: str, stream: str, epoch: int) -> Standing:
    """How the stream stands, after fencing every epoch before `epoch`.

    A new epoch starts at seq 0 and keeps the position. When the standing's epoch is newer than `epoch`,
    the peer is the one that is fenced. Raises BadInput for one stream too many.
    """
    standing = _standing(connection, enrolment, stream)
    if standing is None:
        (streams,) = connection.execute(
            "SELECT count(*) FROM link_stream WHERE enrolment = ?", (enrolment,)
        ).fetchone()
        if streams >= STREAMS_AN_ENROLMENT:
            raise BadInput("too_many_streams", f"at most {STREAMS_AN_ENROLMENT} an enrolment")
        connection.execute(
            "INSERT INTO link_stream VALUES (?, ?, ?, 0, NULL, 1, 0)", (enrolment, stream, epoch)
        )
        return Standing(epoch, 0)
    if epoch > standing.epoch:
        connection.execute(
            "UPDATE link_stream SET epoch = ?, last_seq = 0, epochs = epochs + 1"
            " WHERE enrolment = ? AND stream = ?",
            (epoch, enrolment, stream),
        )
        return Standing(epoch, 0, standing.position)
    rejected = connection.execute(
        "SELECT seq, reason FROM link_rejection"
        " WHERE enrolment = ? AND stream = ? AND epoch = ? AND seq > ? AND seq <= ? ORDER BY seq",
        (enrolment, stream, standing.epoch, standing.last_seq - WINDOW, standing.last_seq),
    ).fetchall()
    repeated = tuple(Rejection(*row) for row in rejected)
    return Standing(standing.epoch, standing.last_seq, standing.position, repeated)


def advance(
    connection: sqlite3.Connection, enrolment: str, stream: str, seq: int, position: bytes | None
) -> None:
    """The stream now has everything up to `seq`; a position of None leaves the one remembered."""
    connection.execute(
        "UPDATE link_stream SET last_seq = ?, position = coalesce(?, position)"
        " WHERE enrolment = ? AND stream = ?",
        (seq, position, enrolment, stream),
    )


def deliver_in_transaction(
    connection: sqlite3.Connection, deliveries: Sequence[Delivery], effect: Effect
) -> list[Outcome]:
    """Each delivery's effect and advance, in order, inside the caller's transaction.

    `effect` runs for fresh batches that are not empty. BadInput from it undoes its own writes only; the
    batch is passed over and its reason kept. Any other error is the caller's, who rolls everything back.
    """
    return [_deliver(connection, delivery, effect) for delivery in deliveries]


def _deliver(connection: sqlite3.Connection, delivery: Delivery, effect: Effect) -> Outcome:
    enrolment, stream, epoch, seq = delivery.enrolment, delivery.stream, delivery.epoch, delivery.seq
    standing = _standing(connection, enrolment, stream)
    if standing is None:
        return Missing(1)
    match judge(standing, epoch, seq):
        case Verdict.DUPLICATE:
            return Settled(standing.last_seq)
        case Verdict.OLD_EPOCH:
            return Fenced(standing.epoch)
        case Verdict.GAP:
            return Missing(standing.last_seq + 1 if epoch == standing.epoch else 1)
        case Verdict.FRESH:
            reason = _attempt(connection, delivery, effect) if delivery.payload else None
            advance(connection, enrolment, stream, seq, delivery.position)
            if reason is None:
                return Settled(seq)
            _record_rejection(connection, delivery, reason)
            return Rejected(seq, reason)


def _attempt(connection: sqlite3.Connection, delivery: Delivery, effect: Effect) -> str | None:
    connection.execute("SAVEPOINT link_effect")
    try:
        effect(connection, delivery)
    except BadInput as error:
        connection.execute("ROLLBACK TO link_effect")
        connection.execute("RELEASE link_effect")
        return error.reason[:200]
    connection.execute("RELEASE link_effect")
    return None


def _record_rejection(connection: sqlite3.Connection, delivery: Delivery, reason: str) -> None:
    stream = (delivery.enrolment, delivery.stream)
    connection.execute(
        "INSERT INTO link_rejection (enrolment, stream, epoch, seq, reason) VALUES (?, ?, ?, ?, ?)",
        (*stream, delivery.epoch, delivery.seq, reason),
    )
    connection.execute(
        "UPDATE link_stream SET rejected = rejected + 1 WHERE enrolment = ? AND stream = ?", stream
    )
    connection.execute(
        "DELETE FROM link_rejection WHERE id <= (SELECT id FROM link_rejection"
        " WHERE enrolment = ? AND stream = ? ORDER BY id DESC LIMIT 1 OFFSET ?)"
        " AND enrolment = ? AND stream = ?",
        (*stream, REJECTIONS_KEPT, *stream),
    )


def _standing(connection: sqlite3.Connection, enrolment: str, stream: str) -> Standing | None:
    row = connection.execute(
        "SELECT epoch, last_seq, position FROM link_stream WHERE enrolment = ? AND stream = ?",
        (enrolment, stream),
    ).fetchone()
    return None if row is None else Standing(*row)
