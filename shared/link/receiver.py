"""The receiving half as a pure machine: frames in, instructions out; no socket, no clock, no disk.

It knows who talks (the connection's key, and the enrolment that key stands for) and what they said in
HELLO; what was received before is the ledger's to know.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from shared.errors import BadInput
from shared.link.frames import (
    MAX_PAYLOAD,
    VERSION,
    WINDOW,
    Ack,
    Batch,
    Busy,
    Expect,
    Hello,
    Join,
    Joined,
    Refused,
    Reject,
    Rejection,
    ToSender,
    Welcome,
    decode_to_receiver,
)


@dataclass(frozen=True, slots=True)
class Standing:
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


@dataclass(frozen=True, slots=True)
class Delivery:
    """One batch, on its way to the inbox."""

    enrolment: str
    stream: str
    epoch: int
    seq: int
    payload: bytes
    position: bytes | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """On disk, now or before: everything up to `seq`."""

    seq: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """Counted and passed over, now and for ever."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Missing:
    """Not taken: something before it is missing."""

    next_seq: int


@dataclass(frozen=True, slots=True)
class Fenced:
    """Not taken: a newer epoch is in force."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Later:
    """Not taken: the inbox is behind."""

    retry_after_ms: int


Outcome = Settled | Rejected | Missing | Fenced | Later


@dataclass(frozen=True, slots=True)
class Reply:
    """Send this frame to that connection."""

    route: bytes
    frame: ToSender


@dataclass(frozen=True, slots=True)
class Greet:
    """Ask the inbox how the stream stands, then call `greeted`."""

    route: bytes
    key: str
    enrolment: str
    hello: Hello


@dataclass(frozen=True, slots=True)
class Take:
    """Hand this to the inbox, then call `settled`."""

    route: bytes
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Enrol:
    """Ask the inbox to enrol this key, then call `joined` or `not_joined`."""

    route: bytes
    key: str
    join: Join


Instruction = Reply | Greet | Take | Enrol


@dataclass(frozen=True, slots=True)
class Quota:
    """What one peer may ask for: batches a second with a burst of as many, and streams open at once."""

    batches_per_second: float = 2000.0
    sessions: int = 64


@dataclass(slots=True)
class _Session:
    key: str
    hello: Hello


@dataclass(slots=True)
class _Allowance:
    tokens: float
    at: float


class Receiver:
    """All conversations of one server. `route` names a connection, `key` is its proven public key."""

    def __init__(self, quota: Quota | None = None) -> None:
        self._quota = quota or Quota()
        self._sessions: dict[bytes, _Session] = {}
        self._routes: dict[str, OrderedDict[bytes, None]] = {}
        self._allowances: dict[str, _Allowance] = {}

    def received(
        self, route: bytes, key: str, enrolment: str | None, data: bytes | memoryview, now: float
    ) -> Instruction:
        """One frame came. `enrolment` is None for a key that is not enrolled (any more)."""
        try:
            frame = decode_to_receiver(data)
        except BadInput as error:
            return Reply(route, Refused(error.reason))
        match frame:
            case Join():
                return Enrol(route, key, frame)
            case _ if enrolment is None:
                self._forget(key)
                return Reply(route, Refused("not_enrolled"))
            case Hello():
                if frame.v != VERSION:
                    return Reply(route, Refused("version"))
                return Greet(route, key, enrolment, frame)
            case Batch():
                return self._batch(route, key, enrolment, frame, now)

    def greeted(self, greet: Greet, standing: Standing) -> Reply:
        """How the stream stands after its HELLO."""
        hello = greet.hello
        if standing.epoch > hello.epoch:
            return Reply(greet.route, Refused("old_epoch", standing.epoch))
        self._sessions[greet.route] = _Session(greet.key, hello)
        routes = self._routes.setdefault(greet.key, OrderedDict())
        routes[greet.route] = None
        routes.move_to_end(greet.route)
        while len(routes) > self._quota.sessions:
            self._sessions.pop(routes.popitem(last=False)[0], None)
        return Reply(
            greet.route,
            Welcome(
                VERSION,
                hello.epoch,
                hello.nonce,
                standing.last_seq,
                standing.position,
                MAX_PAYLOAD,
                WINDOW,
                standing.rejected,
            ),
        )

    def settled(self, taken: Sequence[Take], outcomes: Sequence[Outcome]) -> list[Reply]:
        """What to answer after one delivery: one ACK a run of settled batches, one complaint a connection."""
        replies: list[Reply] = []
        acks: dict[bytes, int] = {}  # where the ACK that a later one may replace stands
        complained: set[bytes] = set()
        for take, outcome in zip(taken, outcomes, strict=True):
            route = take.route
            if isinstance(outcome, Missing | Fenced | Later):
                if route in complained:
                    continue
                complained.add(route)
            reply = Reply(route, _answer(take.delivery.epoch, outcome))
            if isinstance(outcome, Settled) and route in acks:
                replies[acks[route]] = reply
                continue
            acks.pop(route, None)
            if isinstance(outcome, Settled):
                acks[route] = len(replies)
            replies.append(reply)
        return replies

    def joined(self, enrol: Enrol) -> Reply:
        """The key is enrolled."""
        return Reply(enrol.route, Joined())

    def unreachable(self, route: bytes) -> None:
        """An answer could not be sent: whatever comes next on that connection must begin with HELLO."""
        if session := self._sessions.pop(route, None):
            self._routes[session.key].pop(route, None)

    def _forget(self, key: str) -> None:
        for route in self._routes.pop(key, ()):
            self._sessions.pop(route, None)
        self._allowances.pop(key, None)

    def _batch(self, route: bytes, key: str, enrolment: str, frame: Batch, now: float) -> Instruction:
        session = self._sessions.get(route)
        if session is None or (session.key, session.hello.epoch) != (key, frame.epoch):
            return Reply(route, Refused("hello_first"))
        if not self._allow(key, now):
            return Reply(route, Busy(100))
        stream = session.hello.stream
        delivery = Delivery(enrolment, stream, frame.epoch, frame.seq, frame.payload, frame.position)
        return Take(route, delivery)

    def _allow(self, key: str, now: float) -> bool:
        rate = max(1.0, self._quota.batches_per_second)
        allowance = self._allowances.setdefault(key, _Allowance(rate, now))
        allowance.tokens = min(rate, allowance.tokens + (now - allowance.at) * rate)
        allowance.at = now
        if allowance.tokens < 1:
            return False
        allowance.tokens -= 1
        return True


def _answer(epoch: int, outcome: Outcome) -> ToSender:
    match outcome:
        case Settled(seq):
            return Ack(epoch, seq)
        case Rejected(seq, reason):
            return Reject(epoch, seq, reason)
        case Missing(next_seq):
            return Expect(epoch, next_seq)
        case Fenced(newer):
            return Refused("old_epoch", newer)
        case Later(retry_after_ms):
            return Busy(retry_after_ms)
