"""The sending half as a pure machine: events in, instructions out; no socket, no clock, no disk.

It holds numbers only, never payloads: what is sent again is read again, so that a batch withdrawn
meanwhile goes out empty. Any doubt (silence, a gap, a receiver that lost its memory) leads to HELLO.
"""

import random
from dataclasses import dataclass
from enum import Enum
from typing import Final

from shared.link.frames import (
    MAX_PAYLOAD,
    WINDOW,
    Ack,
    Busy,
    Expect,
    Hello,
    Refused,
    Reject,
    ToSender,
    Welcome,
)
from shared.link.versions import SPOKEN, Versions


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: the first wait for an answer, the longest, and between two tries of a refused peer."""

    first: float = 1.0
    longest: float = 30.0
    refused: float = 10.0

    def wait(self, tries: int, rng: random.Random) -> float:
        """How long to wait for an answer after so many tries: each time twice as long, and a quarter off."""
        longest = min(self.longest, self.first * 2.0 ** min(tries, 16))
        return longest * (0.75 + 0.5 * rng.random())


@dataclass(frozen=True, slots=True)
class Say:
    """Send this frame."""

    frame: Hello


@dataclass(frozen=True, slots=True)
class Transmit:
    """Read the batches `first` to `last` from the feed and send each as BATCH."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Settled:
    """The receiver is done with everything up to `seq`: record that before anything further is sent."""

    seq: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """The receiver refused this one for good."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Resume:
    """The receiver has everything up to `last_seq`. Answer with `resumed` or, for a new epoch, `renewed`."""

    last_seq: int
    position: bytes | None


@dataclass(frozen=True, slots=True)
class Outdated:
    """The receiver knows the newer epoch `current`. Answer with `renewed`, or leave it: this side rests."""

    current: int


Instruction = Say | Transmit | Settled | SetAside | Resume | Outdated


class Phase(Enum):
    """Where the conversation stands."""

    DOWN = "down"  # no connection
    GREETING = "greeting"  # HELLO said, waiting for WELCOME
    RESUMING = "resuming"  # WELCOME heard, waiting for the feed
    OPEN = "open"  # sending
    REFUSED = "refused"  # the receiver wants nothing; HELLO again at the deadline


_QUIET: Final = (Phase.DOWN, Phase.RESUMING)


class Sender:
    """One stream's conversation. Every method returns the instructions to carry out, in order.

    `now` is any monotonic clock in seconds. `deadline` is when `tick` wants to be called, or None.
    """

    def __init__(
        self,
        stream: str,
        epoch: int,
        rng: random.Random,
        pace: Pace | None = None,
        versions: Versions = SPOKEN,
    ) -> None:
        self.stream = stream
        self.epoch = epoch
        self.phase = Phase.DOWN
        self.refusal = ""
        self.deadline: float | None = None
        self.window = WINDOW
        self.max_batch = MAX_PAYLOAD
        self.acked = 0
        self.minor = 0  # what both sides speak, once a WELCOME came
        self.next_key = ""  # the key that the receiver will have next, as the newest WELCOME says
        self._rng = rng
        self._pace = pace or Pace()
        self._versions = versions
        self._offer = versions.newest
        self._tail = 0  # the newest batch that the feed has
        self._sent = 0  # sent since the last going back
        self._high = 0  # sent at all in this conversation
        self._tries = 0
        self._paused = False
        self._expected = 0
        self._nonce = 0
        self._refusals: list[SetAside] = []  # those heard in the newest welcome

    @property
    def unacked(self) -> int:
        """How many batches are on their way."""
        return self._high - self.acked

    def up(self, now: float) -> list[Instruction]:
        """A connection stands, perhaps to a receiver that was upgraded meanwhile."""
        self._tries, self._offer = 0, self._versions.newest
        return self._greet(now)

    def down(self) -> list[Instruction]:
        """The connection is gone."""
        self.phase, self.deadline, self._paused = Phase.DOWN, None, False
        return []

    def available(self, tail: int, now: float) -> list[Instruction]:
        """The feed holds batches up to `tail`."""
        self._tail = max(self._tail, tail)
        return self._pump(now)

    def tick(self, now: float) -> list[Instruction]:
        """Time passed; nothing happens before `deadline`."""
        if self.deadline is None or now < self.deadline or self.phase in _QUIET:
            return []
        if self._paused:
            self._paused, self.deadline = False, None
            return self._pump(now)
        self._tries += 1
        return self._greet(now)

    def resumed(self, last_seq: int, tail: int, now: float) -> list[Instruction]:
        """The feed stands ready to go on after `last_seq`."""
        if self.phase is not Phase.RESUMING:
            return []
        self.phase, self.deadline, self._tries, self._expected = Phase.OPEN, None, 0, 0
        self.acked = self._sent = self._high = last_seq
        self._tail = tail
        return [*self._refusals, *self._pump(now)]

    def renewed(self, epoch: int, now: float) -> list[Instruction]:
        """The feed began a new epoch: its batches count from 1 again."""
        self.epoch = epoch
        self.acked = self._sent = self._high = self._tail = 0
        return [] if self.phase is Phase.DOWN else self._greet(now)

    def received(self, frame: ToSender, now: float) -> list[Instruction]:
        """The receiver said something."""
        match frame:
            case Welcome():
                return self._welcome(frame)
            case Ack(epoch, seq) if self._is_ours(epoch):
                return self._settle(seq, now)
            case Reject(epoch, seq, reason) if self._is_ours(epoch):
                aside: list[Instruction] = [SetAside(seq, reason)] if 0 < seq <= self._high else []
                return [*aside, *self._settle(seq, now)]
            case Expect(epoch, next_seq) if self._is_ours(epoch):
                return self._go_back(next_seq, now)
            case Busy(retry_after_ms) if self.phase is Phase.OPEN:
                self._sent = self.acked
                self._paused = True
                self.deadline = now + retry_after_ms / 1000 * (1 + 0.25 * self._rng.random())
                return []
            case Refused():
                return self._refused(frame, now)
            case _:
                return []

    def _is_ours(self, epoch: int) -> bool:
        return self.phase is Phase.OPEN and epoch == self.epoch

    def _greet(self, now: float) -> list[Instruction]:
        self.phase, self._paused = Phase.GREETING, False
        self.deadline = now + self._pace.wait(self._tries, self._rng)
        # An answer to an earlier HELLO may be out of date: only the one that repeats this number counts.
        self._nonce = self._rng.getrandbits(53)
        minor = self._versions.minor(self._offer) or 0
        return [Say(Hello(self._offer, self.stream, self.epoch, self._nonce, minor))]

    def _welcome(self, frame: Welcome) -> list[Instruction]:
        if self.phase is not Phase.GREETING or (frame.epoch, frame.nonce) != (self.epoch, self._nonce):
            return []
        self.phase, self.refusal, self.deadline = Phase.RESUMING, "", None
        self.window = min(WINDOW, frame.window)
        self.max_batch = frame.max_batch
        self.minor = min(frame.minor, self._versions.minor(self._offer) or 0)
        self.next_key = frame.next_key
        self._refusals = [SetAside(r.seq, r.reason) for r in frame.rejected if r.seq <= frame.last_seq]
        return [Resume(frame.last_seq, frame.position)]

    def _settle(self, seq: int, now: float) -> list[Instruction]:
        if seq > self._high:
            return self._greet(now)
        if seq <= self.acked:
            return []
        self.acked = seq
        self._sent = max(self._sent, seq)
        self._tries = self._expected = 0
        if not self._paused:
            on_its_way = self._sent > seq
            self.deadline = now + self._pace.wait(0, self._rng) if on_its_way else None
        return [Settled(seq), *self._pump(now)]

    def _go_back(self, next_seq: int, now: float) -> list[Instruction]:
        if self._paused or next_seq == self._expected:
            return []
        if next_seq != self.acked + 1:
            return self._greet(now)
        self._expected, self._sent, self.deadline = next_seq, self.acked, None
        return self._pump(now)

    def _refused(self, frame: Refused, now: float) -> list[Instruction]:
        if self.phase in _QUIET:
            return []
        if frame.reason == "hello_first":
            return self._greet(now) if self.phase is Phase.OPEN else []
        if frame.reason == "version":
            return self._other_version(frame, now)
        self.phase, self.refusal = Phase.REFUSED, frame.reason
        self.deadline = now + self._rest()
        return [Outdated(frame.epoch)] if frame.reason == "old_epoch" and frame.epoch > self.epoch else []

    def _other_version(self, frame: Refused, now: float) -> list[Instruction]:
        if (frame.v or 1) == self._offer:  # it refuses what was offered before this
            return []
        if (offer := self._versions.instead(self._offer, frame.v)) is not None:
            self._offer = offer
            return self._greet(now)
        self.phase, self.refusal = Phase.REFUSED, self._versions.who_upgrades(frame.v)
        self.deadline, self._offer = now + self._rest(), self._versions.newest
        return []

    def _rest(self) -> float:
        return self._pace.refused * (1 + self._rng.random())

    def _pump(self, now: float) -> list[Instruction]:
        last = min(self._tail, self.acked + self.window)
        if self.phase is not Phase.OPEN or self._paused or last <= self._sent:
            return []
        first = self._sent + 1
        self._sent = last
        self._high = max(self._high, last)
        if self.deadline is None:
            self.deadline = now + self._pace.wait(self._tries, self._rng)
        return [Transmit(first, last)]
