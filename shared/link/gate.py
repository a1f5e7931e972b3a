"""Who may connect: answers libzmq's questions about CURVE keys (ZAP, RFC 27) from the inbox's enrolments,
and counts out how often a stranger may knock."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, Protocol, runtime_checkable

import zmq
from zmq.utils import z85

from shared.link.quota import account_of
from shared.link.sockets import DOMAIN, Context, Socket

_ADDRESS: Final = "inproc://zeromq.zap.01"
_UNKNOWN_S: Final = 0.05  # how often an unknown key that keeps talking makes us ask again
_ANSWERS: Final = 1024  # handshakes answered before the frames get their turn, which may take a second
_REMEMBERED: Final = 1024  # keys whose knocks are counted
_STRANGERS: Final = 20.0  # handshakes a second of keys that are not enrolled, while an invitation is open
_LOOKS: Final = 20.0  # times a second that an unknown key makes us ask at once who is enrolled
_TRY_AGAIN: Final = [b"300", b"try again", b""]


class Members(Protocol):
    """The part of an inbox that knows the keys."""

    def enrolments(self) -> Mapping[str, str]:
        """Public keys (z85), each with its enrolment."""

    def inviting(self) -> bool:
        """Whether an unknown key may knock."""


@runtime_checkable
class Watching(Protocol):
    """An inbox that is told of keys that are not enrolled; it must be quick about it."""

    def knocked(self, public_key: str) -> None:
        """This key wants to connect, or spoke."""


class Knocks:
    """So many a second for each key, with a burst of as many; the keys longest silent are forgotten."""

    def __init__(self, per_second: float, burst: float | None = None) -> None:
        self._rate = max(1.0, per_second)
        self._burst = max(1.0, per_second if burst is None else burst)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allow(self, key: str, now: float) -> bool:
        """Whether this one is still within the rate; `now` is any monotonic clock in seconds."""
        tokens, at = self._left.pop(key, (self._burst, now))
        tokens = min(self._burst, tokens + max(0.0, now - at) * self._rate)
        allowed = tokens >= 1
        self._left[key] = (tokens - allowed, now)
        if len(self._left) > _REMEMBERED:
            self._left.popitem(last=False)
        return allowed


class Handshakes:
    """How often one account may connect, and strangers in all; one that is refused at present may not."""

    def __init__(self, per_second: float, burst: float, refused: Callable[[str, float], bool]) -> None:
        self._accounts = Knocks(per_second, burst)
        self._strangers = Knocks(_STRANGERS)
        self._refused = refused

    def allow(self, account: str, now: float, *, member: bool) -> bool:
        """Whether this one may go on; otherwise it may try again later."""
        if self._refused(account, now) or not self._accounts.allow(account, now):
            return False
        return member or self._strangers.allow("", now)


class Gate:
    """Answers on the context's own ZAP address; the user id of what passes is its public key."""

    def __init__(
        self,
        context: Context,
        members: Members,
        clock: Callable[[], float],
        fresh_s: float,
        handshakes: Handshakes,
    ) -> None:
        self.socket: Socket = context.socket(zmq.REP)
        self.socket.set(zmq.LINGER, 0)
        self.socket.bind(_ADDRESS)
        self._members = members
        self._watching = members if isinstance(members, Watching) else None
        self._clock = clock
        self._fresh_s = fresh_s
        self._handshakes = handshakes
        self._looks = Knocks(_LOOKS)
        self._known: Mapping[str, str] = {}
        self._asked = float("-inf")

    def refresh(self) -> None:
        """Ask again who is enrolled."""
        self._known = dict(self._members.enrolments())
        self._asked = self._clock()

    def enrolment(self, key: str) -> str | None:
        """The enrolment of a key, never from a list older than `fresh_s`; None when it has none."""
        age = self._clock() - self._asked
        if age >= self._fresh_s or (key not in self._known and age >= _UNKNOWN_S):
            self.refresh()
        enrolment = self._known.get(key)
        if enrolment is None and self._watching is not None:
            self._watching.knocked(key)
        return enrolment

    def answer(self) -> int:
        """Answer the questions that wait, up to a turn's worth; how many were answered with no."""
        refused = 0
        for _ in range(_ANSWERS):
            if not self.socket.poll(0):
                break
            version, sequence, domain, _, _, mechanism, *credentials = self.socket.recv_multipart()
            verdict = [b"400", b"not enrolled", b""]
            try:
                if (domain, mechanism) == (DOMAIN.encode(), b"CURVE") and self._admits(
                    key := _z85(credentials)
                ):
                    enrolment = self._known.get(key)
                    account, member = account_of(key, enrolment), enrolment is not None
                    allowed = self._handshakes.allow(account, self._clock(), member=member)
                    verdict = [b"200", b"OK", key.encode()] if allowed else _TRY_AGAIN
            except Exception:
                verdict = _TRY_AGAIN
                raise
            finally:
                self.socket.send_multipart([version, sequence, *verdict, b""])
            refused += verdict[0] != b"200"
        return refused

    def close(self) -> None:
        """Let the address go."""
        self.socket.close()

    def _admits(self, key: str) -> bool:
        if key not in self._known and self._looks.allow("", self._clock()):
            self.refresh()
        return self.enrolment(key) is not None or self._members.inviting()


def _z85(credentials: list[bytes]) -> str:
    return z85.encode(credentials[0]).decode()
