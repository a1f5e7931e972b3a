"""The receiving half as a pure machine: frames in, instructions out; no socket, no clock, no disk.

It knows who talks (the connection's key, and the enrolment that key stands for) and what they said in
HELLO; what was received before is the ledger's to know.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
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
    Renew,
    ToSender,
    Welcome,
    decode_to_receiver,
)
from shared.link.instructions import Cut, Drop, Enrol, Greet, Instruction, Question, Renewal, Reply, Take
from shared.link.outcomes import Delivery, Fenced, Later, Missing, Outcome, Rejected, Settled, Standing
from shared.link.quota import UNLIMITED, Limiter, Quota, Slow, Step, account_of
from shared.link.versions import SPOKEN, Versions

_BATCH_TAG: Final = bytes([2])  # the second byte of every BATCH: an array's first element


@dataclass(slots=True)
class _Session:
    key: str
    account: str
    hello: Hello


class Receiver:
    """All conversations of one server. `route` names a connection, `key` is its proven public key.

    Limits are those of an account, see `quota.account_of`.
    """

    def __init__(self, quota: Quota | None = None, versions: Versions = SPOKEN) -> None:
        self._quota = quota or UNLIMITED
        self._limiter = Limiter(self._quota)
        self._versions = versions
        self._next_key = ""
        self._sessions: dict[bytes, _Session] = {}
        self._routes: dict[str, OrderedDict[bytes, None]] = {}  # of each account

    def received(
        self, route: bytes, key: str, enrolment: str | None, data: bytes | memoryview, now: float
    ) -> Instruction:
        """One frame came. `enrolment` is None for a key that is not enrolled (any more)."""
        account = account_of(key, enrolment)
        batch = enrolment is not None and data[1:2] == _BATCH_TAG
        if instead := self._limit(route, account, batch, len(data), now):
            return instead
        try:
            frame = decode_to_receiver(data)
        except BadInput as error:
            return Reply(route, Refused(error.reason))
        match frame:
            case Join():
                return Enrol(route, key, frame)
            case _ if enrolment is None:
                self._leave(route)
                return Reply(route, Refused("not_enrolled"))
            case Hello():
                if self._versions.minor(frame.v) is None:
                    return self._other_version(route)
                return Greet(route, key, enrolment, frame)
            case Batch():
                return self._batch(route, key, enrolment, frame)
            case Ask() | Renew():
                return self._asked(route, key, enrolment, frame, now)

    def greeted(self, greet: Greet, standing: Standing) -> Reply:
        """How the stream stands after its HELLO."""
        hello = greet.hello
        if standing.epoch > hello.epoch:
            return Reply(greet.route, Refused("old_epoch", standing.epoch))
        account = account_of(greet.key, greet.enrolment)
        self._limiter.greeted(account, greet.route)
        self._leave(greet.route)
        self._sessions[greet.route] = _Session(greet.key, account, hello)
        routes = self._routes.setdefault(account, OrderedDict())
        routes[greet.route] = None
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
        self._leave(route)

    def retired(self, enrolment: str, key_in_use: str) -> None:
        """Its other keys may speak no more: what was agreed with them is forgotten."""
        for route in list(self._routes.get(account_of(key_in_use, enrolment), ())):
            if self._sessions[route].key != key_in_use:
                self._leave(route)

    def refuses(self, account: str, now: float) -> bool:
        """Whether the peer went over its limits so often that it is refused at present."""
        return self._limiter.refuses(account, now)

    def expel(self, account: str, now: float) -> None:
        """The peer did what no honest one does: it is refused for a while, and forgotten."""
        self._limiter.expel(account, now)
        self._forget(account)

    def announce(self, next_key: str) -> list[Reply]:
        """The key that this receiver will have next, or "": all are made to say HELLO again, and hear of it.

        Nothing happens when it is the one announced already.
        """
        if next_key == self._next_key:
            return []
        self._next_key = next_key
        replies = [Reply(route, Refused("hello_first")) for route in self._sessions]
        self._sessions.clear()
        self._routes.clear()
        return replies

    def _other_version(self, route: bytes) -> Reply:
        newest = self._versions.newest
        return Reply(route, Refused("version", 0, newest, self._versions.minor(newest) or 0))

    def _asked(self, route: bytes, key: str, enrolment: str, frame: Ask | Renew, now: float) -> Instruction:
        session = self._sessions.get(route)
        if session is None or session.key != key:
            return Reply(route, Refused("hello_first"))
        if min(session.hello.minor, self._versions.minor(session.hello.v) or 0) < 1:
            return Reply(route, Refused("bad_frame"))
        if isinstance(frame, Ask):
            return Question(route, enrolment, frame)
        if not self._limiter.renews(session.account, frame.public, now):
            return Drop()  # it asks again, and is heard in time
        return Renewal(route, key, enrolment, frame.public)

    def _limit(
        self, route: bytes, account: str, batch: bool, size: int, now: float
    ) -> Reply | Drop | Cut | None:
        """What becomes of a frame beyond the limits, before anything of it is decoded; None lets it pass."""
        match self._limiter.admit(account, route, size, now, batch=batch):
            case None:
                return None
            case Slow(retry_ms):
                return Reply(route, Busy(retry_ms))
            case Step.DROP:
                return Drop()
            case Step.CUT:
                self._forget(account)
                return Cut(account)
            case Step.REFUSE:
                self._forget(account)
                return Reply(route, Refused("over_limits"))

    def _forget(self, account: str) -> None:
        for route in self._routes.pop(account, ()):
            self._sessions.pop(route, None)

    def _leave(self, route: bytes) -> None:
        if session := self._sessions.pop(route, None):
            routes = self._routes[session.account]
            del routes[route]
            if not routes:
                del self._routes[session.account]

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
