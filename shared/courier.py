"""Notices on their way: kept in a store until they are sent, each once, tried again for a day."""

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from shared import notice as notices
from shared import waiting
from shared.errors import BadInput
from shared.notice import Channel, NoticeSettings
from shared.storage import Writer, reader

LOOK_SECONDS: Final = 5.0
WAITS: Final = (60.0, 300.0, 900.0, 3600.0)  # after each time that it could not be sent, the last one again
GIVEN_UP: Final = 86_400.0


class Courier:
    """A thread beside agent or hub that sends what waits; sending holds nothing else up."""

    def __init__(
        self, writer: Writer, settings: NoticeSettings, folder: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self._writer = writer
        self._settings = settings
        self._folder = folder
        self._clock = clock
        self._log = structlog.get_logger("notice")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """Begin; nothing to do where no way is set up."""
        if notices.channels(self._settings):
            self._thread.start()

    def stop(self) -> None:
        """End; what was not sent is sent next time."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def look(self) -> int:
        """Send everything that is due; how many were sent. A way that fails is left alone for a while."""
        now, sent = self._clock(), 0
        connection = reader(self._writer.path)
        try:
            found = waiting.due(connection, now)
        finally:
            connection.close()
        failed: set[Channel] = set()
        for key, due in found:
            if self._stop.is_set():
                break
            if isinstance(due, BadInput):
                self._log.error("set aside", reason=due.reason)
                self._writer.run(partial(waiting.set_aside, key=key, reason=due.reason, now=now))
            elif due.way not in failed:
                is_sent = self._send(key, due, now)
                sent += is_sent
                if not is_sent:
                    failed.add(due.way)
        return sent

    def _send(self, key: waiting.Key, due: waiting.Due, now: float) -> bool:
        from shared import sending  # loaded only once there is something to send: it takes memory

        state, tries = "sent", due.tries
        try:
            sending.send(due.notice, due.way, self._settings, self._folder, due.at.astimezone())
        except Exception as error:  # noqa: BLE001 - one that breaks the program must not keep the others
            tries += 1
            state = "given_up" if now - due.at.timestamp() >= GIVEN_UP else "waiting"
            why = str(error) if isinstance(error, sending.UnsentError) else type(error).__name__
            self._log.warning("not sent", why=why, tries=tries, state=state)
        over = self._clock()  # a slow server may have taken a minute
        next_at = over + WAITS[min(max(tries, 1), len(WAITS)) - 1]
        self._writer.run(partial(waiting.settle, key=key, state=state, tries=tries, next_at=next_at))
        if state != "sent":
            self._writer.run(partial(waiting.postpone, way=due.way, now=over, next_at=over + WAITS[0]))
        return state == "sent"

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - a full disk, most likely: another time
                self._log.warning("no notices", kind=type(error).__name__)
            self._stop.wait(LOOK_SECONDS)
