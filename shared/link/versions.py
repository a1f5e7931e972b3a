"""Which version two sides speak: the newest major version of both, and of that the lower minor.

The sender offers its newest; a receiver that does not know it refuses and names its own newest, and the
sender offers that one next, as long as it knows it. Only HELLO, WELCOME and REFUSED must stay readable.
"""

from dataclasses import dataclass
from typing import Final

from shared.link.frames import MINOR, VERSION

UPGRADE_RECEIVER: Final = "the receiver speaks an older version of the link: upgrade the receiver"
UPGRADE_SENDER: Final = "the receiver speaks a newer version of the link: upgrade this side"


@dataclass(frozen=True, slots=True)
class Versions:
    """The major versions that a side speaks, each without gaps, and the newest minor of each."""

    minors: tuple[tuple[int, int], ...] = ((VERSION, MINOR),)

    @property
    def newest(self) -> int:
        """The newest major version."""
        return max(major for major, _ in self.minors)

    def minor(self, major: int) -> int | None:
        """The newest minor of a major version; None for one that is not spoken."""
        return dict(self.minors).get(major)

    def instead(self, offered: int, theirs: int) -> int | None:
        """What to offer to a receiver that refused `offered` and speaks nothing newer than `theirs`.

        A receiver of minor 0 of major version 1 names none (0). None when there is nothing to offer.
        """
        theirs = theirs or 1
        return theirs if theirs < offered and self.minor(theirs) is not None else None

    def who_upgrades(self, theirs: int) -> str:
        """In plain words, which side is too old, once there is nothing left to offer."""
        return UPGRADE_SENDER if theirs > self.newest else UPGRADE_RECEIVER


SPOKEN: Final = Versions()
