"""What a sender asks beside its batches, as a pure machine: each question is said again until it is answered.

An answer too long for one frame is pulled part by part, so that the asker sets the pace and a cut
connection costs one part. Parts of two versions are never mixed: a new version is pulled from its start.
"""

import hashlib
import random
from concurrent.futures import Future
from dataclasses import dataclass, field

from shared.link.frames import Ask, Renew, Renewed, Told
from shared.link.sender import Pace


def version_of(data: bytes) -> bytes:
    """What tells one answer from another: its BLAKE2b digest, 16 bytes."""
    return hashlib.blake2b(data, digest_size=16).digest()


@dataclass(slots=True)
class _Patience:
    """When to say it (again)."""

    at: float = float("-inf")
    tries: int = 0


@dataclass(slots=True)
class Pull:
    """One name asked for. The future holds the whole, or None when the receiver has nothing of that name.

    Whoever waits no longer says so in `dropped` (any thread).
    """

    what: str
    future: "Future[bytes | None]" = field(default_factory=Future)
    dropped: bool = False
    _version: bytes = b""
    _parts: list[bytes] = field(default_factory=list)
    patience: _Patience = field(default_factory=_Patience)

    @property
    def waiting(self) -> bool:
        """Whether somebody still waits for it."""
        return not (self.dropped or self.future.done())

    def next(self) -> Ask:
        """The part that is missing."""
        return Ask(self.what, len(self._parts))

    def take(self, told: Told) -> bool:
        """Whether this part took the pull forward, so that the next one may be asked for at once."""
        if told.parts == 0:
            self.future.set_result(None)
            return True
        if self._parts and told.version != self._version:
            self._parts.clear()
            return told.part == 0 and self.take(told)
        if told.part != len(self._parts):
            return False
        self._version = told.version
        self._parts.append(told.data)
        if len(self._parts) < told.parts:
            return True
        data = b"".join(self._parts)
        if version_of(data) != told.version:
            self._parts.clear()
            return False
        self.future.set_result(data)
        return True


class Asker:
    """Everything that is being asked. `now` is any monotonic clock in seconds."""

    def __init__(self, rng: random.Random, pace: Pace | None = None) -> None:
        self._rng = rng
        self._pace = pace or Pace()
        self._pulls: list[Pull] = []
        self._renewing = ""
        self._renewal = _Patience()

    def pull(self, pull: Pull) -> None:
        """Begin to ask."""
        self.tidy()
        self._pulls.append(pull)

    def renew(self, public: str) -> None:
        """Begin to ask that this key be enrolled beside the one in use; "" for no longer."""
        self._renewing, self._renewal = public, _Patience()

    def close(self) -> None:
        """Nobody will answer any more."""
        for pull in self._pulls:
            if not pull.future.done():
                pull.future.set_exception(TimeoutError(f"{pull.what}: the link was stopped"))
        self._pulls.clear()

    def again(self) -> None:
        """A new conversation: what was asked in the last one may be lost, and is asked at once."""
        for patience in (self._renewal, *(pull.patience for pull in self._pulls)):
            patience.at, patience.tries = float("-inf"), 0

    def tidy(self) -> None:
        """Forget what nobody waits for, with the parts that came of it."""
        self._pulls = [pull for pull in self._pulls if pull.waiting]

    @property
    def deadline(self) -> float:
        """When `due` wants to be called; infinity for never."""
        waiting = [pull.patience.at for pull in self._pulls if pull.waiting]
        return min([*waiting, *([self._renewal.at] if self._renewing else [])], default=float("inf"))

    def due(self, now: float) -> list[Ask | Renew]:
        """What to say now, to a receiver that understands it."""
        if self.deadline > now:
            return []
        self.tidy()
        frames: list[Ask | Renew] = []
        if self._renewing and self._renewal.at <= now:
            self._wait(self._renewal, now)
            frames.append(Renew(self._renewing))
        for pull in self._pulls:
            if pull.patience.at <= now:
                self._wait(pull.patience, now)
                frames.append(pull.next())
        return frames

    def told(self, frame: Told) -> None:
        """An answer came."""
        for pull in self._pulls:
            if pull.what == frame.what and not pull.future.done() and pull.take(frame):
                pull.patience.at, pull.patience.tries = float("-inf"), 0

    def renewed(self, frame: Renewed) -> bool:
        """Whether this answers the renewal that was asked for; then it is asked no more."""
        ours = bool(self._renewing) and frame.public == self._renewing
        if ours:
            self._renewing = ""
        return ours

    def _wait(self, patience: _Patience, now: float) -> None:
        patience.at = now + self._pace.wait(patience.tries, self._rng)
        patience.tries += 1
