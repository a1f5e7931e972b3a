"""The running hub's end of the link, under the key that lies in its folder, also when that one changes."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from hub import folder
from hub.paths import Layout
from shared.errors import CommonGroundError
from shared.link import keys
from shared.link.inbox import Inbox
from shared.link.limits import Limits
from shared.link.server import LinkServer

LOOK_SECONDS: Final = 0.5

_State = tuple[int, int, int, int] | None


class HubLink:
    """Listens from `start` to `stop`; when another key lies in the folder it goes over to it at once."""

    def __init__(self, layout: Layout, address: str, inbox: Inbox, limits: Limits) -> None:
        self._layout = layout
        self._inbox = inbox
        self._limits = limits
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="link:key", daemon=True)
        self._log = structlog.get_logger("hub")
        self._address = address
        self._pair = folder.link_keys(layout)
        self._server: LinkServer | None = None

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return self._address

    def start(self) -> None:
        """Listen. Raises BusyError when the port is taken, SettingsError when the address is not ours."""
        self._listen(self._pair)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is under way, then let go of the port."""
        self._stopping.set()
        self._thread.join()
        if self._server is not None:
            self._server.stop()

    def _listen(self, pair: keys.KeyPair) -> None:
        following = next_key(self._layout, pair.public)
        server = LinkServer(self._address, pair, self._inbox, self._limits, next_key=following)
        server.start()
        self._address, self._pair, self._server = server.endpoint, pair, server

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self._look()
            except (CommonGroundError, OSError) as error:
                self._log.error("link_not_under_its_key", error=str(error))

    def _look(self) -> None:
        pair = folder.link_keys(self._layout)
        if self._server is not None:
            if pair.public == self._pair.public:
                return
            self._server.stop()
            self._server = None  # until the port can be had again, which is tried at each look
        self._listen(pair)
        self._log.info("link_key_changed", fingerprint=keys.fingerprint(pair.public))


def next_key(layout: Layout, in_use: str) -> Callable[[], str]:
    """What tells the public key that will follow the one in use, or "" for none that can be used.

    Between `rotate-key --switch` and this process going over, that is the one which lies in its place
    already: were it none for that moment, schools would forget it just before they need it.
    """

    paths = [layout.keys / f"{folder.LINK_KEY}{end}.key" for end in ("", ".next")]
    read: tuple[tuple[_State, ...], str] | None = (
        None  # what lay there when the files were read, and what they said
    )

    def look() -> str:
        nonlocal read
        files = tuple(map(_state, paths))
        if read is None or read[0] != files:
            following, _ = folder.next_keys(layout)
            with suppress(CommonGroundError, OSError):  # one that is of no use is said where it is used
                following = following or folder.link_keys(layout)
            said = "" if following is None or following.public == in_use else following.public
            read = files, said
        return read[1]

    return look


def _state(path: Path) -> _State:
    """What tells one file of a key from another: each is written once, and renamed."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_mode
