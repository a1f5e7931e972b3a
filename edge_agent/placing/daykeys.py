"""Day keys: random, on this machine only, destroyed 36 hours after their day began, never made twice."""

import os
import secrets
import sqlite3
import threading
from datetime import date
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from edge_agent.days import key_expires
from shared.files import sync_folder
from shared.settings import read_secret, write_secret
from shared.storage import Writer

KEY_BYTES: Final = 32
DESTROYED: Final = "day_key_destroyed"
LOST: Final = "day_key_lost"


def pseudonym(key: bytes, device_id: str) -> int:
    """BLAKE2b-64 over the inventory id, keyed with the day's key; uint64."""
    if len(key) != KEY_BYTES:
        raise ValueError("a day key has 32 bytes: without one a pseudonym could be computed by anybody")
    return int.from_bytes(blake2b(device_id.encode(), digest_size=8, key=key).digest(), "little")


class DayKeys(Protocol):
    """Where a collector gets the key of a local day."""

    def key(self, day: date, now: float) -> bytes | str:
        """The day's key, or the reason why there is none (any more)."""


class KeyFolder:
    """Keys as files of mode 0600, one a local day; the store remembers which were made and destroyed.

    A second key for one day would make two devices of each, so a key that is gone stays gone, whatever
    the clock says afterwards.
    """

    def __init__(self, folder: Path, zone: ZoneInfo, writer: Writer) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._zone = zone
        self._writer = writer
        self._cache: dict[date, bytes | str] = {}
        self._lock = threading.Lock()

    def key(self, day: date, now: float) -> bytes | str:
        """The day's key, made at first use; a reason from 36 hours after the day began, or if it was lost."""
        if now >= key_expires(day, self._zone):
            return DESTROYED
        with self._lock:
            if day not in self._cache:
                self._cache[day] = self._find(day)
            return self._cache[day]

    def destroy_expired(self, now: float) -> list[date]:
        """Overwrite and remove the keys whose time is over; which days they were of."""
        gone = []
        for day, path in self._files():
            if now >= key_expires(day, self._zone):
                with self._lock:
                    self._writer.run(partial(_remember, day=day, state="destroyed"))
                    _shred(path)
                    self._cache[day] = DESTROYED
                gone.append(day)
        return gone

    def _find(self, day: date) -> bytes | str:
        state = self._writer.run(lambda connection: _state(connection, day))
        if state == "destroyed":
            return DESTROYED
        path = self._path(day)
        if state is None:
            if not path.exists():
                self._make(path)
            # From here on the key counts as made: only now may a pseudonym come of it.
            self._writer.run(lambda connection: _remember(connection, day, "made"))
        if not path.exists():
            return LOST
        key = read_secret(path)
        return key if len(key) == KEY_BYTES else LOST

    def _make(self, path: Path) -> None:
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        write_secret(draft, secrets.token_bytes(KEY_BYTES))
        draft.rename(path)
        sync_folder(self._folder)

    def _files(self) -> list[tuple[date, Path]]:
        found = []
        for path in sorted(self._folder.glob("*.key")):
            try:
                found.append((date.fromisoformat(path.stem), path))
            except ValueError:
                continue  # somebody else's file
        return found

    def _path(self, day: date) -> Path:
        return self._folder / f"{day.isoformat()}.key"


class MemoryKeys:
    """Keys made for one run, never written: a replay of past logs."""

    def __init__(self) -> None:
        self._keys: dict[date, bytes] = {}

    def key(self, day: date, now: float) -> bytes | str:
        """The day's key for this run; a replay's clock is the log, so no key is ever too old."""
        del now
        return self._keys.setdefault(day, secrets.token_bytes(KEY_BYTES))

    def forget_before(self, day: date) -> None:
        """Drop the keys of the days before."""
        for gone in [known for known in self._keys if known < day]:
            del self._keys[gone]


def _state(connection: sqlite3.Connection, day: date) -> str | None:
    row = connection.execute("SELECT state FROM day_keys WHERE day = ?", (day.isoformat(),)).fetchone()
    return None if row is None else str(row[0])


def _remember(connection: sqlite3.Connection, day: date, state: str) -> None:
    connection.execute("INSERT OR REPLACE INTO day_keys VALUES (?, ?)", (day.isoformat(), state))


def _shred(path: Path) -> None:
    # A journalling or flash disk may keep the old bytes; the overwrite covers the ordinary ones.
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    sync_folder(path.parent)
