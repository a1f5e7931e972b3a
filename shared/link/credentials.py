"""Which of our keys to speak with, and which of the receiver's to expect, while either is being renewed."""

from shared.link.keys import KeyPair


class Credentials:
    """The keys to try, in turn: ours after a refusal, the receiver's after a failed handshake."""

    def __init__(self, ours: tuple[KeyPair, ...], theirs: tuple[str, ...]) -> None:
        """The first of each is in force; a second, if there is one, may have come into force since."""
        self._ours = ours
        self._theirs = tuple(public for public in theirs if public)
        self._our = self._their = 0

    @property
    def pair(self) -> KeyPair:
        """The key to speak with now."""
        return self._ours[self._our]

    @property
    def server(self) -> str:
        """The receiver's key to expect now."""
        return self._theirs[self._their]

    @property
    def several(self) -> bool:
        """Whether there is another key of ours to try."""
        return len(self._ours) > 1

    @property
    def several_servers(self) -> bool:
        """Whether there is another key of theirs to try."""
        return len(self._theirs) > 1

    @property
    def announced(self) -> str:
        """The receiver's next key as far as we know it, or ""."""
        return self._theirs[1] if len(self._theirs) > 1 else ""

    @property
    def renewed(self) -> bool:
        """Whether our key in use is not the one that was in force."""
        return self._our > 0

    def refused(self) -> bool:
        """Ours was refused: the next one's turn. Whether all of them had theirs."""
        self._our = (self._our + 1) % len(self._ours)
        return self._our == 0

    def no_handshake(self) -> bool:
        """The receiver holds another key than expected: as `refused`."""
        self._their = (self._their + 1) % len(self._theirs)
        return self._their == 0

    def turn_to(self, pair: KeyPair) -> None:
        """Speak with this one from now on; the one in force until now is tried if it is refused."""
        self._ours, self._our = (self._ours[0], pair), 1

    def settle(self, next_server: str) -> None:
        """Those in use were welcomed: a key that came into force leaves none before it.

        `next_server` is the receiver's next key as it announces it now, or "".
        """
        if self._our:
            self._ours, self._our = (self.pair,), 0
        self._theirs, self._their = (self.server, *([next_server] if next_server else [])), 0
