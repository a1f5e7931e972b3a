"""A change of keys as a sender lives through it: asked for, granted, used, and told to whoever keeps them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from shared.errors import CommonGroundError
from shared.link.credentials import Credentials
from shared.link.errands import Errands
from shared.link.frames import Renewed
from shared.link.keys import KeyPair


def _ignore(_: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Keeper:
    """Whoever keeps the keys of a link; called from the client's thread, perhaps twice with the same.

    `renewed`: our key is this one from now on. `not_renewed`: the receiver will not have the new one, and
    why. `next_key`: the receiver's next key, or "" for none any more. `server_key`: the receiver's key is
    this one from now on, and it has no next one.
    """

    renewed: Callable[[KeyPair], None] = _ignore
    not_renewed: Callable[[str], None] = _ignore
    next_key: Callable[[str], None] = _ignore
    server_key: Callable[[str], None] = _ignore


NOBODY: Final = Keeper()  # for keys that never change


class Rotation:
    """Both sides' keys, as they are used and as their keeper has them.

    The keeper has our new key before the old one is forgotten here: when that fails nothing is sent. That it
    cannot keep the receiver's keys is logged; it is told again after the next WELCOME, and batches go on.
    """

    def __init__(self, credentials: Credentials, errands: Errands, keeper: Keeper = NOBODY) -> None:
        self._credentials = credentials
        self._errands = errands
        self._keeper = keeper
        self._kept = credentials.server, credentials.announced
        self._log = structlog.get_logger("link.client")

    def answered(self, frame: Renewed) -> bool:
        """Whether to hang up and speak with the new key from now on."""
        wanted = self._errands.wanted
        if wanted is None or not self._errands.asker.renewed(frame):
            return False
        if frame.reason:
            self._errands.wanted = None
            self._keeper.not_renewed(frame.reason)
            return False
        self._credentials.turn_to(wanted)
        return True

    def welcomed(self, next_key: str) -> None:
        """The keys in use are proven; `next_key` is the receiver's as it announces it now, or "".

        Raises CommonGroundError when our own new key cannot be kept.
        """
        credentials = self._credentials
        if credentials.renewed:
            try:
                self._keeper.renewed(credentials.pair)
            except OSError as error:
                raise CommonGroundError(f"the new key cannot be kept: {error}; see to its folder") from error
        credentials.settle(next_key)
        self._errands.in_use(credentials.pair.public)
        try:
            self._tell(credentials.server, next_key)
        except Exception as error:  # noqa: BLE001 - whatever keeps the keys is not ours; the link works
            self._log.error("receivers_key_not_kept", error=f"{type(error).__name__}: {error}")

    def _tell(self, server: str, next_key: str) -> None:
        """The key in force first: until it is kept, the one that was announced is all that leads to it."""
        if server != self._kept[0]:
            self._keeper.server_key(server)
            self._kept = server, ""
        if next_key != self._kept[1]:
            self._keeper.next_key(next_key)
            self._kept = server, next_key
