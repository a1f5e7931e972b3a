"""The receiving half as a pure machine: frames in, instructions out; no socket, no clock, no disk.

It knows who talks (the connection's key, and the enrolment that key stands for) and what they said in
HELLO; what was received before is the ledger's to know.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from shared.errors import BadInput
from shared.link.frames import (
    MAX_PAYLOAD,
    WINDOW,
    Ack,
    Ask,
    Batch,
    Busy,
    Expect,
    Hello,
    Join,
    Joined,
    Refused,
    Reject,
    Rejection,
    Renew,
    ToSender,
    Welcome,
    decode_to_receiver,
)
from shared.link.quota import UNLIMITED, Limiter, Quota, Slow, Step
from shared.link.versions import SPOKEN, Versions

_BATCH_TAG: Final = bytes([2])  # the second byte of every BATCH: an array's first element


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


@dataclass(frozen=True, slots=True)
class Question:
    """Ask the inbox what it tells this enrolment, and send that part."""

    route: bytes
    enrolment: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class Renewal:
    """Ask the inbox to let `public` speak for the enrolment beside `key`, and send what came of it."""

    route: bytes
    key: str
    enrolment: str
    public: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Over its limits, and told so before: no answer."""


@dataclass(frozen=True, slots=True)
class Cut:
    """End this key's connections: it does not listen."""

    key: str


Instruction = Reply | Greet | Take | Enrol | Question | Renewal | Drop | Cut


@dataclass(slots=True)
class _Session:
    key: str
    hello: Hello


class Receiver:
    """All conversations of one server. `route` names a connection, `key` is its proven public key."""

    def __init__(self, quota: Quota | None = None, versions: Versions = SPOKEN) -> None:
        self._quota = quota or UNLIMITED
        self._limiter = Limiter(self._quota)
        self._versions = versions
        self._next_key = ""
        self._sessions: dict[bytes, _Session] = {}
        self._routes: dict[str, OrderedDict[bytes, None]] = {}

    def received(
        self, route: bytes, key: str, enrolment: str | None, data: bytes | memoryview, now: float
    ) -> Instruction:
        """One frame came. `enrolment` is None for a key that is not enrolled (any more)."""
        if instead := self._limit(route, key, enrolment, data, now):
            return instead
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
                if self._versions.minor(frame.v) is None:
                    return self._other_version(route)
                return Greet(route, key, enrolment, frame)
            case Batch():
                return self._batch(route, key, enrolment, frame)
            case Ask() | Renew():
                return self._asked(route, key, enrolment, frame)

    def greeted(self, greet: Greet, standing: Standing) -> Reply:
        """How the stream stands after its HELLO."""
        hello = greet.hello
        if standing.epoch > hello.epoch:
            return Reply(greet.route, Refused("old_epoch", standing.epoch))
        self._limiter.greeted(greet.key, greet.route)
        self._sessions[greet.route] = _Session(greet.key, hello)
        routes = self._routes.setdefault(greet.key, OrderedDict())
        routes[greet.route] = None
        routes.move_to_end(greet.route)
        while len(routes) > self._quota.sessions:
            self._sessions.pop(routes.popitem(last=False)[0], None)
        return Reply(
            greet.route,
            Welcome(
                hello.v,
                hello.epoch,
                hello.nonce,
                standing.last_seq,
                standing.position,
                MAX_PAYLOAD,
                WINDOW,
                standing.rejected,
                self._versions.minor(hello.v) or 0,
                self._next_key,
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

    def announce(self, next_key: str) -> None:
        """The key that this receiver will have next, or "": whoever sends says HELLO again, and hears of it.

        Nothing happens when it is the one announced already.
        """
        if next_key != self._next_key:
            self._next_key = next_key
            self._sessions.clear()
            self._routes.clear()

    def _other_version(self, route: bytes) -> Reply:
        newest = self._versions.newest
        return Reply(route, Refused("version", 0, newest, self._versions.minor(newest) or 0))

    def _asked(self, route: bytes, key: str, enrolment: str, frame: Ask | Renew) -> Instruction:
        session = self._sessions.get(route)
        if session is None or session.key != key:
            return Reply(route, Refused("hello_first"))
        if min(session.hello.minor, self._versions.minor(session.hello.v) or 0) < 1:
            return Reply(route, Refused("bad_frame"))
        if isinstance(frame, Ask):
            return Question(route, enrolment, frame)
        return Renewal(route, key, enrolment, frame.public)

    def refuses(self, key: str, now: float) -> bool:
        """Whether the key went over its limits so often that it is refused at present."""
        return self._limiter.refuses(key, now)

    def expel(self, key: str, now: float) -> None:
        """The key did what no honest peer does: it is refused for a while, and forgotten."""
        self._limiter.expel(key, now)
        self._forget(key)

    def _limit(
        self, route: bytes, key: str, enrolment: str | None, data: bytes | memoryview, now: float
    ) -> Reply | Drop | Cut | None:
        """What becomes of a frame beyond the limits, before anything of it is decoded; None lets it pass."""
        batch = enrolment is not None and data[1:2] == _BATCH_TAG
        match self._limiter.admit(key, route, len(data), now, batch=batch):
            case None:
                return None
            case Slow(retry_ms):
                return Reply(route, Busy(retry_ms))
            case Step.DROP:
                return Drop()
            case Step.CUT:
                self._forget(key)
                return Cut(key)
            case Step.REFUSE:
                self._forget(key)
                return Reply(route, Refused("over_limits"))

    def _forget(self, key: str) -> None:
        for route in self._routes.pop(key, ()):
            self._sessions.pop(route, None)

    def _batch(self, route: bytes, key: str, enrolment: str, frame: Batch) -> Instruction:
        session = self._sessions.get(route)
        if session is None or (session.key, session.hello.epoch) != (key, frame.epoch):
            return Reply(route, Refused("hello_first"))
        stream = session.hello.stream
        delivery = Delivery(enrolment, stream, frame.epoch, frame.seq, frame.payload, frame.position)
        return Take(route, delivery)


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
