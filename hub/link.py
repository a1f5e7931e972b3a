"""The running hub's end of the link, under the key that lies in its folder, also when that one changes."""

import threading
from collections.abc import Callable
from typing import Final

import structlog

from hub import folder
from hub.paths import Layout
from shared.errors import CommonGroundError
from shared.link import keys
from shared.link.server import Inbox, Limits, LinkServer

LOOK_SECONDS: Final = 0.5


class HubLink:
    """Listens from `start` to `stop`; when another key lies in the folder it goes over to it at once."""

    def __init__(self, layout: Layout, address: str, inbox: Inbox, limits: Limits) -> None:
        self._layout = layout
        self._inbox = inbox
        self._limits = limits
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="link:key", daemon=True)
        self._log = structlog.get_logger("hub")
        self._pair = folder.link_keys(layout)
        self._server = self._make(address)

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return self._server.endpoint

    def start(self) -> None:
        """Listen. Raises BusyError when the port is taken, SettingsError when the address is not ours."""
        self._server.start()
        self._thread.start()

    def stop(self) -> None:
        """Finish what is under way, then let go of the port."""
        self._stopping.set()
        self._thread.join()
        self._server.stop()

    def _make(self, address: str) -> LinkServer:
        return LinkServer(address, self._pair, self._inbox, self._limits, next_key=next_key(self._layout))

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self._look()
            except CommonGroundError as error:
                self._log.error("link_key_unusable", error=str(error))

    def _look(self) -> None:
        pair = folder.link_keys(self._layout)
        if pair.public == self._pair.public:
            return
        address = self._server.endpoint
        self._server.stop()
        self._pair = pair
        self._server = self._make(address)
        self._server.start()
        self._log.info("link_key_changed", fingerprint=keys.fingerprint(pair.public))


def next_key(layout: Layout) -> Callable[[], str]:
    """What tells the public key that this hub will have next, or "" for none."""

    def look() -> str:
        following = keys.next_pair(layout.keys, folder.LINK_KEY)
        return "" if following is None else following.public

    return look
