"""Notices when a school's agent is not heard any more, once for each silence, and when it is heard again."""

import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, NamedTuple

import structlog

from shared import storage, waiting
from shared.notice import Notice, NoticeSettings, channels

LIMIT_S: Final = 3600.0  # an agent speaks every five minutes
LOOK_S: Final = 60.0

_OURS: Final = re.compile(rb"school-[0-9]{1,18}-[0-9]{1,11}-(silent|over)")

_SCHOOLS: Final = """
SELECT s.id, s.name, h.heard FROM schools s JOIN heartbeats h ON h.school_id = s.id
WHERE h.heard IS NOT NULL
    AND EXISTS (SELECT 1 FROM enrolments e WHERE e.school_id = s.id AND e.revoked IS NULL)
"""


class Heard(NamedTuple):
    """A school, and when its agent was last heard (epoch seconds)."""

    school: int
    name: str
    at: float


def due(
    schools: Iterable[Heard], told: Iterable[str], *, now: float, since: float
) -> list[tuple[str, Heard, float]]:
    """Ids of what is to be told now, about which school, and when its silence began. Pure.

    `told` are ids of notices that went; `since`: until then the hub itself was not there to hear anybody.
    """
    known = set(told)
    open_ = {
        name.removesuffix("-silent")
        for name in known
        if name.endswith("-silent") and name.removesuffix("-silent") + "-over" not in known
    }
    found = []
    for heard in schools:
        own = f"school-{heard.school}-"
        began = f"{own}{int(heard.at)}"
        ended = sorted(name for name in open_ if name.startswith(own) and name != began)
        found += [(f"{name}-over", heard, float(name.removeprefix(own))) for name in ended]
        if now - max(heard.at, since) >= LIMIT_S and f"{began}-silent" not in known:
            found.append((f"{began}-silent", heard, heard.at))
    return found


def _told(connection: sqlite3.Connection) -> list[str]:
    # As bytes: one id that is no text must not end the reading of all. What is no id of ours told of nothing.
    ids = connection.execute("SELECT DISTINCT CAST(id AS BLOB) FROM notices")
    return [id_.decode() for (id_,) in ids if _OURS.fullmatch(id_)]


def notice_of(name: str, heard: Heard, began: float, now: datetime) -> Notice:
    """The words."""
    since = datetime.fromtimestamp(began, now.tzinfo)
    event = name.rpartition("-")[2]
    about = {"school": heard.name, "event": event, "since": since.isoformat(timespec="seconds")}
    if event == "over":
        text = f"It had not been heard since {since:%A %d %B, %H:%M}. What it kept comes by itself."
        return Notice(name, f"{heard.name}: the agent is heard again", text, about)
    lines = (
        f"The agent of {heard.name} was last heard on {since:%A %d %B at %H:%M}.",
        "Its records wait in the school, and nothing is lost. What to try:",
        "1. Does the machine run, and does it have power and network?",
        "2. On it: `systemctl status commonground-agent`, and `commonground agent status DIR`.",
        "3. Does its firewall still let it call this hub? Did this hub’s address change?",
        "4. `commonground hub alarms DIR`: was its key revoked or exchanged?",
        "This is said once; there will be word when it is heard again.",
    )
    return Notice(name, f"{heard.name}: the agent is not heard", "\n".join(lines), about)


class Listening:
    """A thread beside the hub that looks every minute; idle where nobody is to be told."""

    def __init__(
        self, writer: storage.Writer, settings: NoticeSettings, clock: Callable[[], float] = time.time
    ) -> None:
        self._writer = writer
        self._settings = settings
        self._clock = clock
        self._since = clock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listening", daemon=True)

    def start(self) -> None:
        """Begin."""
        if channels(self._settings):
            self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def look(self) -> int:
        """Hand over what is to be told; how many notices."""
        now = self._clock()
        reader = storage.reader(self._writer.path)
        try:
            schools = [Heard(*row) for row in reader.execute(_SCHOOLS)]
            told = _told(reader)
        finally:
            reader.close()
        found = due(schools, told, now=now, since=self._since)
        local = datetime.fromtimestamp(now).astimezone()
        made = [notice_of(name, heard, began, local) for name, heard, began in found]
        return self._writer.run(lambda connection: self._put(connection, made, now)) if made else 0

    def _put(self, connection: sqlite3.Connection, made: list[Notice], now: float) -> int:
        return sum(waiting.put(connection, notice, self._settings, now) for notice in made)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self.look()
            except sqlite3.Error as error:  # a full disk: another minute
                structlog.get_logger("hub").warning("not_listened", kind=type(error).__name__)
