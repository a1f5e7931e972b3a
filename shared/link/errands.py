"""What other threads want of a client beside its batches, handed over to the client's own thread."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

import msgspec

from shared.errors import UsageError
from shared.link.asking import Asker, Pull
from shared.link.frames import What
from shared.link.keys import KeyPair
from shared.link.sender import Pace

_LOOK_S = 0.2  # how often whoever waits looks whether the client still runs


class Errands:
    """Questions and key renewals on their way to one client; `asker` and `wanted` are its thread's alone."""

    def __init__(self, rng: random.Random, pace: Pace, nudge: Callable[[], bool]) -> None:
        """`nudge` wakes the client's thread and says whether it runs."""
        self.asker = Asker(rng, pace)
        self.wanted: KeyPair | None = None  # the client's key to be, until it is welcomed
        self._nudge = nudge
        self._handed: SimpleQueue[Pull | KeyPair] = SimpleQueue()

    def ask(self, what: str, timeout: float, why_silent: Callable[[], str]) -> bytes | None:
        """See `LinkClient.ask`."""
        try:
            pull = Pull(msgspec.convert(what, What))
        except msgspec.ValidationError:
            raise UsageError(f"`{what[:100]}` cannot be asked for: a name has a-z, 0-9 and _.:-") from None
        self._handed.put(pull)
        until = time.monotonic() + timeout
        while self._nudge() and (left := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                return pull.future.result(min(left, _LOOK_S))
        pull.dropped = True
        self._nudge()  # what came of it is let go
        raise TimeoutError(f"no answer about {what}: {why_silent()}")

    def renew(self, pair: KeyPair) -> None:
        """See `LinkClient.renew`."""
        self._handed.put(pair)
        self._nudge()

    def take_over(self) -> None:
        """What other threads handed over since, or gave up."""
        self.asker.tidy()
        with suppress(Empty):
            while True:
                match self._handed.get_nowait():
                    case Pull() as pull:
                        self.asker.pull(pull)
                    case KeyPair() as pair:
                        self.wanted = pair
                        self.asker.renew(pair.public)

    def in_use(self, public: str) -> None:
        """This key of ours was welcomed: the renewal that led to it is done, any other is asked for again."""
        if self.wanted is not None and self.wanted.public == public:
            self.wanted = None
        self.asker.renew(self.wanted.public if self.wanted else "")
