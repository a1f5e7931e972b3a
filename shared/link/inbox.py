"""What a server asks of whoever receives: who may talk, how a stream stands, and to take what came."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.link.outcomes import Delivery, Outcome, Standing


class Inbox(Protocol):
    """What the server asks of whoever receives; all from the server's own thread.

    One that is also `answering.Telling` or `answering.Renewing` answers what senders ask, and renews keys;
    one that is also `groups.Overlapping` lets the server hear the next batches while it writes.
    """

    def enrolments(self) -> Mapping[str, str]:
        """Public keys (z85) that may talk, each with the enrolment it stands for."""

    def inviting(self) -> bool:
        """Whether an invitation is open, so that an unknown key may knock."""

    def join(self, public_key: str, secret: bytes, name: str) -> str:
        """Enrol this key; returns the enrolment. Raises BadInput, for a guessed secret without a write."""

    def hello(self, enrolment: str, stream: str, epoch: int) -> Standing:
        """`ledger.hello`, on disk when it returns. Raises BadInput."""

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """`ledger.deliver_in_transaction`, on disk when it returns; one outcome a delivery, in order.

        `Later` for all of them says BUSY; whatever is raised says so too, after a second try alone.
        """
