"""What a receiver has, what is delivered to it, and what becomes of that: the words of whoever receives."""

from enum import Enum

import msgspec

from shared.link.frames import Rejection


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What the receiver durably has of a stream: of `epoch`, everything up to `last_seq`."""

    epoch: int
    last_seq: int
    position: bytes | None = None
    rejected: tuple[Rejection, ...] = ()


class Verdict(Enum):
    """What a batch is, next to what is there already."""

    FRESH = "fresh"
    DUPLICATE = "duplicate"
    GAP = "gap"
    OLD_EPOCH = "old_epoch"


def judge(standing: Standing, epoch: int, seq: int) -> Verdict:
    """The rule of delivery: in order, once, and only from the newest epoch."""
    if epoch < standing.epoch:
        return Verdict.OLD_EPOCH
    if epoch > standing.epoch or seq > standing.last_seq + 1:
        return Verdict.GAP
    return Verdict.FRESH if seq == standing.last_seq + 1 else Verdict.DUPLICATE


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One batch, on its way to the inbox."""

    enrolment: str
    stream: str
    epoch: int
    seq: int
    payload: bytes
    position: bytes | None = None


class Settled(msgspec.Struct, frozen=True, gc=False):
    """On disk, now or before: everything up to `seq`."""

    seq: int


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """Counted and passed over, now and for ever."""

    seq: int
    reason: str


class Missing(msgspec.Struct, frozen=True, gc=False):
    """Not taken: something before it is missing."""

    next_seq: int


class Fenced(msgspec.Struct, frozen=True, gc=False):
    """Not taken: a newer epoch is in force."""

    epoch: int


class Later(msgspec.Struct, frozen=True, gc=False):
    """Not taken: the inbox is behind."""

    retry_after_ms: int


Outcome = Settled | Rejected | Missing | Fenced | Later
