"""What one peer may ask of a receiver, and what becomes of a peer that takes more; no socket and no clock.

A peer is an enrolment, whatever keys it speaks with, so that a new key does not begin a new account; only a
stranger's key stands for itself. Over its rates a peer is told to wait, and its frames are dropped undecoded
while it should. An honest one has at most a window on its way by then; one that goes on collects strikes, and
is refused for a growing time.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import Final

from shared.link.frames import MAX_FRAME, MAX_PAYLOAD, WINDOW

MIB: Final = 1024 * 1024
GRACE: Final = 2 * WINDOW  # frames of one conversation that may still come after it was told to wait
STRIKES: Final = 3
CALM_S: Final = 60.0  # a strike this old is forgotten
FIRST_REFUSAL_S: Final = 10.0
LONGEST_REFUSAL_S: Final = 600.0
_WAIT_S: Final = (0.05, 5.0)  # the shortest and the longest wait that is asked for
_REMEMBERED: Final = 8192  # accounts; more than connections
_IDLE_S: Final = 3600.0  # by then every refusal is over, and every account is full again


@dataclass(frozen=True, slots=True)
class Quota:
    """What one account may ask for: rates, with bursts of `burst_s` seconds' worth, and connections at once.

    `talk` is every frame but BATCH, with a burst of its own; an hour's new keys may come at once. The
    defaults stop only what has gone mad.
    """

    batches_per_second: float = 100_000.0
    bytes_per_second: float = 4096.0 * MIB
    burst_s: float = 1.0
    talk_per_second: float = 2_000.0
    talk_burst: float = 8_000.0
    sessions: int = 64
    renewals_per_hour: float = 60.0


# For peers that somebody else runs: a term's backlog of one school (20,000 records) is in within a minute,
# and what a school sends in a day passes as one burst.
STRICT: Final = Quota(
    batches_per_second=500.0,
    bytes_per_second=4.0 * MIB,
    burst_s=8.0,
    talk_per_second=20.0,
    talk_burst=128.0,
    sessions=8,
    renewals_per_hour=4.0,
)


# What is counted elsewhere, or by nobody.
UNLIMITED: Final = Quota(inf, inf, 1.0, inf, inf, renewals_per_hour=inf)


def account_of(key: str, enrolment: str | None) -> str:
    """Whose limits apply to what came under `key`; no key has a space in it."""
    return key if enrolment is None else f"enrolment {enrolment}"


class Step(Enum):
    """What to do with a frame that may not pass."""

    DROP = "drop"
    REFUSE = "refuse"  # say so, and forget what was agreed with the peer
    CUT = "cut"  # it does not listen: end its connections


@dataclass(frozen=True, slots=True)
class Slow:
    """Drop the frame, and tell the peer to go on after this time."""

    retry_ms: int


@dataclass(slots=True)
class _Peer:
    batches: float
    size: float
    talk: float
    renewals: float
    at: float
    wait_until: float = float("-inf")
    told: dict[bytes, int] = field(default_factory=dict)  # frames of each route since it was told to wait
    strikes: int = 0
    struck: float = float("-inf")
    refusals: int = 0
    refused_until: float = float("-inf")
    deaf: int = 0  # frames since it was refused
    successor: str = ""  # the newest key that it asked for


class Limiter:
    """The accounts of all peers, by `account_of`; bounded in number, and forgotten when long idle."""

    def __init__(self, quota: Quota) -> None:
        self._batches = max(1.0, quota.batches_per_second)
        self._size = max(1.0, quota.bytes_per_second)
        self._talk = max(1.0, quota.talk_per_second)
        self._renewals = quota.renewals_per_hour / 3600
        self._most_renewals = max(1.0, quota.renewals_per_hour)
        self._most_batches = max(1.0, self._batches * quota.burst_s)
        self._most_size = max(float(MAX_FRAME), self._size * quota.burst_s)
        self._most_talk = max(1.0, quota.talk_burst)
        window = max(
            min(WINDOW, self._most_batches) / self._batches,
            min(WINDOW * float(MAX_PAYLOAD), self._most_size) / self._size,
        )
        self._wait = min(max(window, _WAIT_S[0]), _WAIT_S[1])
        self._peers: OrderedDict[str, _Peer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._peers)

    def admit(self, account: str, route: bytes, size: int, now: float, *, batch: bool) -> Slow | Step | None:
        """One frame of `size` bytes came over `route`; None lets it pass. `now`: monotonic, seconds."""
        peer = self._account(account, now)
        if now < peer.refused_until:
            return self._refused(peer, batch)
        if batch:
            if peer.batches >= 1 and peer.size >= size and now >= peer.wait_until:
                peer.batches -= 1
                peer.size -= size
                return None
            return self._over(peer, route, now)
        # Beyond its burst talk runs into debt: a flood of it passes nothing, and is not answered.
        peer.talk -= 1
        peer.size -= size
        if peer.talk >= 0 and peer.size >= 0:
            return None
        if peer.talk > -self._most_talk and peer.size > -self._most_size:
            return Step.DROP
        peer.talk, peer.size = max(0.0, peer.talk), max(0.0, peer.size)
        return self._strike(peer, now) or Step.DROP

    def renews(self, account: str, public: str, now: float) -> bool:
        """Whether it may have this new key now; the one that it asked for last it may ask for again."""
        peer = self._account(account, now)
        if public == peer.successor:
            return True
        if peer.renewals < 1:
            return False
        peer.renewals -= 1
        peer.successor = public
        return True

    def expel(self, account: str, now: float) -> None:
        """Refuse a peer at once: it did what no honest one does."""
        self._refuse(self._account(account, now), now)

    def greeted(self, account: str, route: bytes) -> None:
        """A conversation begins anew: it has not heard yet that it should wait."""
        if peer := self._peers.get(account):
            peer.told.pop(route, None)

    def refuses(self, account: str, now: float) -> bool:
        """Whether the peer is refused at present."""
        peer = self._peers.get(account)
        return peer is not None and now < peer.refused_until

    def _account(self, account: str, now: float) -> _Peer:
        peer = self._peers.get(account)
        if peer is None:
            peer = _Peer(self._most_batches, self._most_size, self._most_talk, self._most_renewals, now)
            self._peers[account] = peer
            self._forget_idle(now)
            return peer
        self._peers.move_to_end(account)
        past = now - peer.at
        if past > 0:
            peer.batches = min(self._most_batches, peer.batches + past * self._batches)
            peer.size = min(self._most_size, peer.size + past * self._size)
            peer.talk = min(self._most_talk, peer.talk + past * self._talk)
            peer.renewals = min(self._most_renewals, peer.renewals + past * self._renewals)
        peer.at = now
        return peer

    def _forget_idle(self, now: float) -> None:
        """The longest silent are first in line."""
        while len(self._peers) > 1:
            account, peer = next(iter(self._peers.items()))
            if len(self._peers) <= _REMEMBERED and now - peer.at < _IDLE_S:
                return
            del self._peers[account]

    def _over(self, peer: _Peer, route: bytes, now: float) -> Slow | Step:
        if now >= peer.wait_until:
            peer.wait_until = now + self._wait
            peer.told.clear()
        if route in peer.told:
            peer.told[route] += 1
            if peer.told[route] <= GRACE:
                return Step.DROP
            if step := self._strike(peer, now):
                return step
        peer.told[route] = 0
        return Slow(max(1, round((peer.wait_until - now) * 1000)))

    def _strike(self, peer: _Peer, now: float) -> Step | None:
        peer.strikes = 1 if now - peer.struck > CALM_S else peer.strikes + 1
        if peer.strikes < STRIKES:
            peer.struck = now
            return None
        return self._refuse(peer, now)

    def _refuse(self, peer: _Peer, now: float) -> Step:
        if now - peer.refused_until > LONGEST_REFUSAL_S:
            peer.refusals = 0
        peer.struck = now
        peer.refusals += 1
        peer.refused_until = now + min(
            LONGEST_REFUSAL_S, FIRST_REFUSAL_S * 2.0 ** (min(peer.refusals, 16) - 1)
        )
        peer.strikes = peer.deaf = 0
        peer.told.clear()
        return Step.REFUSE

    def _refused(self, peer: _Peer, batch: bool) -> Step:
        peer.deaf += 1
        if peer.deaf > GRACE:
            peer.deaf = 0
            return Step.CUT
        if not batch and peer.talk >= 1:
            peer.talk -= 1
            return Step.REFUSE
        return Step.DROP
