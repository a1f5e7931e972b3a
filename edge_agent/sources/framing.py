"""What a stream of bytes is taken apart into: records that a parser reads, and what to answer the sender."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(slots=True)
class Fed:
    """What came of some bytes. `records`, one after the other, are what the parser of the kind reads.

    `reply` goes back to the sender; `ended`: the sender has said all it wanted to say.
    """

    records: list[bytes] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    reply: bytes = b""
    ended: bool = False


class Framing(Protocol):
    """Takes one connection's bytes apart, in bounded memory and linear time."""

    def feed(self, data: bytes, now: float) -> Fed:
        """The next bytes, received at `now` (seconds UTC). Raises BadInput if all is lost."""

    @property
    def unfinished(self) -> bool:
        """Whether a record has begun and not ended."""
