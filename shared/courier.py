"""Notices on their way: kept in a store until they are sent, each once, tried again for a day."""

import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import structlog

from shared import notice as notices
from shared import waiting
from shared.notice import Notice, NoticeSettings
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
        """Send everything that is due; how many were sent."""
        now, sent = self._clock(), 0
        connection = reader(self._writer.path)
        try:
            due = connection.execute(
                "SELECT * FROM notices WHERE state = 'waiting' AND next <= ? ORDER BY at LIMIT 20", (now,)
            ).fetchall()
        finally:
            connection.close()
        for row in due:
            if self._stop.is_set():
                break
            sent += self._send(row, now)
        return sent

    def _send(self, row: sqlite3.Row, now: float) -> bool:
        from shared import sending  # loaded only once there is something to send: it takes memory

        notice = msgspec.json.decode(row["notice"], type=Notice)
        state, tries = "sent", row["tries"]
        try:
            at = datetime.fromtimestamp(row["at"], UTC).astimezone()
            sending.send(notice, row["way"], self._settings, self._folder, at)
        except sending.UnsentError as error:
            tries += 1
            state = "given_up" if now - row["at"] >= GIVEN_UP else "waiting"
            self._log.warning("not sent", why=str(error), tries=tries, state=state)
        next_at = now + WAITS[min(max(tries, 1), len(WAITS)) - 1]
        key = row["id"], row["way"]
        self._writer.run(partial(waiting.settle, key=key, state=state, tries=tries, next_at=next_at))
        return state == "sent"

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
            except sqlite3.Error as error:  # a full disk: another time
                self._log.warning("no notices", kind=type(error).__name__)
            self._stop.wait(LOOK_SECONDS)
