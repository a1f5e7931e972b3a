"""What the client asks of whoever holds the batches: the durable outbox or a collector's spool."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Item:
    """One batch to send; an empty payload was withdrawn."""

    payload: bytes
    position: bytes | None = None


class Feed(Protocol):
    """Batches 1, 2, 3, ... of the epoch in force. Only the client's thread calls these, but for `close`."""

    def attach(self, wake: Callable[[], None]) -> None:
        """The client begins; `wake` may be called from any thread when there is something new to send."""

    def detach(self) -> None:
        """The client's thread ends."""

    def epoch(self) -> int:
        """The epoch in force."""

    def tail(self) -> int:
        """The newest batch of this epoch; 0 when there is none."""

    def resume(self, last_seq: int, position: bytes | None) -> int:
        """The receiver has everything up to `last_seq`, its source read up to `position`.

        Returns the epoch in force after that: another one when this feed cannot go on from there.
        """

    def outdated(self, current: int) -> int | None:
        """The receiver knows the newer epoch `current`: a newer one still, or None to rest."""

    def read(self, first: int, last: int) -> Sequence[Item]:
        """Exactly the batches `first` to `last`; those that are gone come back empty."""

    def settle(self, seq: int) -> None:
        """Everything up to `seq` is on the receiver's disk; returns when that is remembered."""

    def set_aside(self, seq: int, reason: str) -> None:
        """This one will never be acceptable. May be said twice."""

    def close(self) -> None:
        """The client is asked to stop (any thread): whatever waits gives up."""
