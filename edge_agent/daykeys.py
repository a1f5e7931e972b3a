"""Day keys: random, on this machine only, destroyed 36 hours after their local day began."""

import os
import secrets
import threading
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from edge_agent.days import key_expires
from shared.settings import read_secret, write_secret


def pseudonym(key: bytes, device_id: str) -> int:
    """BLAKE2b-64 over the inventory id, keyed with the day's key; uint64."""
    return int.from_bytes(blake2b(device_id.encode(), digest_size=8, key=key).digest(), "little")


class DayKeys(Protocol):
    """Where a collector gets the key of a local day."""

    def key(self, day: date, now: float) -> bytes | None:
        """The day's key, or None once it is destroyed (or would have been by `now`)."""


class KeyFolder:
    """Keys as files of mode 0600, one a local day."""

    def __init__(self, folder: Path, zone: ZoneInfo) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._zone = zone
        self._cache: dict[date, bytes] = {}
        self._lock = threading.Lock()

    def key(self, day: date, now: float) -> bytes | None:
        """The day's key, made at first use; None from 36 hours after the day began."""
        if now >= key_expires(day, self._zone):
            return None
        with self._lock:
            if day not in self._cache:
                path = self._path(day)
                if not path.exists():
                    write_secret(path, secrets.token_bytes(32))
                self._cache[day] = read_secret(path)
            return self._cache[day]

    def destroy_expired(self, now: float) -> list[date]:
        """Overwrite and remove the keys whose time is over; which days they were of."""
        gone = []
        for path in sorted(self._folder.glob("*.key")):
            day = date.fromisoformat(path.stem)
            if now >= key_expires(day, self._zone):
                with self._lock:
                    _shred(path)
                    self._cache.pop(day, None)
                gone.append(day)
        return gone

    def _path(self, day: date) -> Path:
        return self._folder / f"{day.isoformat()}.key"


class MemoryKeys:
    """Keys made for one run, never written: a replay of past logs."""

    def __init__(self) -> None:
        self._keys: dict[date, bytes] = {}

    def key(self, day: date, now: float) -> bytes | None:
        """The day's key for this run; a replay's clock is the log, so no key is ever too old."""
        del now
        return self._keys.setdefault(day, secrets.token_bytes(32))


def _shred(path: Path) -> None:
    # A journalling or flash disk may keep the old bytes; the overwrite covers the ordinary ones.
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
