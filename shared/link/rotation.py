"""A change of keys as a sender lives through it: asked for, granted, used, and told to whoever keeps them."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.link.credentials import Credentials
from shared.link.errands import Errands
from shared.link.frames import Renewed
from shared.link.keys import KeyPair


def _ignore(_: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Rotation:
    """Both sides' keys; the callbacks are those of `LinkClient`.

    Whoever keeps keys hears of a change before anything is forgotten here, so that a callback that fails is
    called again after the next WELCOME.
    """

    credentials: Credentials
    errands: Errands
    on_renewed: Callable[[KeyPair], None] = _ignore
    on_not_renewed: Callable[[str], None] = _ignore
    on_next_key: Callable[[str], None] = _ignore
    on_server_key: Callable[[str], None] = _ignore

    def answered(self, frame: Renewed) -> bool:
        """Whether to hang up and speak with the new key from now on."""
        wanted = self.errands.wanted
        if wanted is None or not self.errands.asker.renewed(frame):
            return False
        if frame.reason:
            self.errands.wanted = None
            self.on_not_renewed(frame.reason)
            return False
        self.credentials.turn_to(wanted)
        return True

    def welcomed(self, next_key: str) -> None:
        """The keys in use are proven; `next_key` is the receiver's as it announces it now, or ""."""
        credentials = self.credentials
        ours, theirs = credentials.changed
        if ours:
            self.on_renewed(credentials.pair)
        if theirs:
            self.on_server_key(credentials.server)
        if next_key != ("" if theirs else credentials.announced):
            self.on_next_key(next_key)
        credentials.settle(next_key)
        self.errands.in_use(credentials.pair.public)
