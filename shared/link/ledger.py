"""What a receiver has of each stream, as tables in the caller's own SQLite file.

The effect of a batch and the advance of its stream are one transaction: both or neither.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from shared.errors import BadInput
from shared.link.frames import WINDOW, Rejection
from shared.link.outcomes import (
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

EPOCH_AHEAD: Final = "epoch_in_the_future"
STREAMS_AN_ENROLMENT: Final = 256  # a mad peer cannot fill the table
REJECTIONS_KEPT: Final = 1000  # of each stream
AHEAD_MS: Final = 2 * 24 * 3600 * 1000  # a peer's clock may be this far before ours when it begins an epoch
STEP_MS: Final = 1000  # whoever was fenced goes a little above the epoch in force, wherever that stands

Effect = Callable[[sqlite3.Connection, Delivery], None]
_Stream = tuple[str, str]  # enrolment and stream


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


def hello(
    connection: sqlite3.Connection, enrolment: str, stream: str, epoch: int, now_ms: int | None = None
) -> Standing:
    """How the stream stands, after fencing every epoch before `epoch`.

    A new epoch starts at seq 0 and keeps the position. When the standing's epoch is newer than `epoch`,
    the peer is the one that is fenced. Raises BadInput for one stream too many, and for an epoch far ahead
    of `now_ms` (milliseconds since 1970; None takes any) after which none could follow.
    """
    if (found := standing_of(connection, enrolment, stream, epoch)) is not None:
        return found
    standing = _standing(connection, enrolment, stream)
    in_force = standing.epoch if standing else 0
    if now_ms is not None and epoch > max(now_ms + AHEAD_MS, in_force + STEP_MS):
        raise BadInput(EPOCH_AHEAD, "a clock that is days ahead of ours")
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
    connection.execute(
        "UPDATE link_stream SET epoch = ?, last_seq = 0, epochs = epochs + 1"
        " WHERE enrolment = ? AND stream = ?",
        (epoch, enrolment, stream),
    )
    return Standing(epoch, 0, standing.position)


def forget(connection: sqlite3.Connection, enrolment: str) -> None:
    """Whoever speaks for the enrolment next begins anew, in whatever epoch its outbox is."""
    connection.execute("DELETE FROM link_stream WHERE enrolment = ?", (enrolment,)).close()
    connection.execute("DELETE FROM link_rejection WHERE enrolment = ?", (enrolment,)).close()


def standing_of(connection: sqlite3.Connection, enrolment: str, stream: str, epoch: int) -> Standing | None:
    """What `hello` says of a stream that it would not change; None of any other. It only reads."""
    standing = _standing(connection, enrolment, stream)
    if standing is None or epoch > standing.epoch:
        return None
    rejected = connection.execute(
        "SELECT seq, reason FROM link_rejection"
        " WHERE enrolment = ? AND stream = ? AND epoch = ? AND seq > ? AND seq <= ? ORDER BY seq",
        (enrolment, stream, standing.epoch, standing.last_seq - WINDOW, standing.last_seq),
    ).fetchall()
    repeated = tuple(Rejection(*row) for row in rejected)
    return Standing(standing.epoch, standing.last_seq, standing.position, repeated)


class Streams:
    """The streams of one group of deliveries: judged one by one in memory, written as one.

    For the length of one transaction, and the only one that moves these streams. A fresh batch moves its
    stream at once for those that come after it; on disk nothing moves before `write`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._standings: dict[_Stream, Standing | None] = {}
        self._moved: set[_Stream] = set()
        self._rejections: list[tuple[str, str, int, int, str]] = []

    def judge(self, delivery: Delivery) -> Outcome | None:
        """The outcome of what is not to be taken; None for a fresh batch, which `settle` or `reject` ends."""
        stream, epoch = (delivery.enrolment, delivery.stream), delivery.epoch
        if stream not in self._standings:
            self._standings[stream] = _standing(self._connection, *stream)
        standing = self._standings[stream]
        if standing is None:
            return Missing(1)
        match judge(standing, epoch, delivery.seq):
            case Verdict.FRESH:
                return None
            case Verdict.DUPLICATE:
                return Settled(standing.last_seq)
            case Verdict.OLD_EPOCH:
                return Fenced(standing.epoch)
            case Verdict.GAP:
                return Missing(standing.last_seq + 1 if epoch == standing.epoch else 1)

    def settle(self, delivery: Delivery) -> Settled:
        """The fresh batch has had its effect; a position of None leaves the one remembered."""
        stream = (delivery.enrolment, delivery.stream)
        position = delivery.position
        if position is None and (before := self._standings[stream]):
            position = before.position
        self._standings[stream] = Standing(delivery.epoch, delivery.seq, position)
        self._moved.add(stream)
        return Settled(delivery.seq)

    def reject(self, delivery: Delivery, reason: str) -> Rejected:
        """The fresh batch has no effect and never will: it is passed over and its reason kept."""
        self.settle(delivery)
        rejected = Rejected(delivery.seq, reason[:200])
        self._rejections.append(
            (delivery.enrolment, delivery.stream, delivery.epoch, delivery.seq, rejected.reason)
        )
        return rejected

    def write(self) -> None:
        """Put on disk, in the caller's transaction, how far each stream has come and what was refused."""
        refused = Counter((enrolment, stream) for enrolment, stream, *_ in self._rejections)
        self._connection.executemany(
            "UPDATE link_stream SET last_seq = ?, position = ?, rejected = rejected + ?"
            " WHERE enrolment = ? AND stream = ?",
            [
                (standing.last_seq, standing.position, refused[stream], *stream)
                for stream, standing in self._standings.items()
                if standing is not None and stream in self._moved
            ],
        ).close()
        self._connection.executemany(
            "INSERT INTO link_rejection (enrolment, stream, epoch, seq, reason) VALUES (?, ?, ?, ?, ?)",
            self._rejections,
        ).close()
        self._connection.executemany(
            "DELETE FROM link_rejection WHERE id <= (SELECT id FROM link_rejection"
            " WHERE enrolment = ? AND stream = ? ORDER BY id DESC LIMIT 1 OFFSET ?)"
            " AND enrolment = ? AND stream = ?",
            [(*stream, REJECTIONS_KEPT, *stream) for stream in refused],
        ).close()


def deliver_in_transaction(
    connection: sqlite3.Connection, deliveries: Sequence[Delivery], effect: Effect
) -> list[Outcome]:
    """Each delivery's effect, in order, and their streams' advance, inside the caller's transaction.

    `effect` runs for fresh batches that are not empty. BadInput from it undoes its own writes only; the
    batch is passed over and its reason kept. Any other error is the caller's, who rolls everything back.
    """
    streams = Streams(connection)
    outcomes = [
        streams.judge(delivery) or _attempt(connection, streams, delivery, effect) for delivery in deliveries
    ]
    streams.write()
    return outcomes


def _attempt(connection: sqlite3.Connection, streams: Streams, delivery: Delivery, effect: Effect) -> Outcome:
    if not delivery.payload:
        return streams.settle(delivery)
    connection.execute("SAVEPOINT link_effect")
    try:
        effect(connection, delivery)
    except BadInput as error:
        connection.execute("ROLLBACK TO link_effect")
        connection.execute("RELEASE link_effect")
        return streams.reject(delivery, error.reason)
    connection.execute("RELEASE link_effect")
    return streams.settle(delivery)


def _standing(connection: sqlite3.Connection, enrolment: str, stream: str) -> Standing | None:
    row = connection.execute(
        "SELECT epoch, last_seq, position FROM link_stream WHERE enrolment = ? AND stream = ?",
        (enrolment, stream),
    ).fetchone()
    return None if row is None else Standing(*row)
