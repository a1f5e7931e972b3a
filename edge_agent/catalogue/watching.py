"""Notices that the catalogue in use is not the one any more that lies in the folder."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge_agent.catalogue.in_use import InUse, district_file, load_in_use, school_file
from edge_agent.paths import AgentFolder

LOOK_SECONDS: Final = 2.0

_Stamp = tuple[tuple[int, int, int] | None, ...]


class CatalogueWatch:
    """Called from the agent's main loop only; `clock` is monotonic, in seconds."""

    def __init__(
        self, folder: AgentFolder, in_use: InUse, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._in_use = in_use
        self._clock = clock
        self._next_look = clock() + LOOK_SECONDS
        self._looked: _Stamp | None = None
        self._seen = self._stamp()
        self.trouble = in_use.trouble

    def has_changed(self) -> bool:
        """Whether files that are sound, and are not being written any more, say something else."""
        if self._clock() < self._next_look:
            return False
        self._next_look = self._clock() + LOOK_SECONDS
        found = self._stamp()
        steady, self._seen = found == self._seen, found
        if not steady or found == self._looked:
            return False
        self._looked = found
        fresh = load_in_use(self._folder)
        self.trouble = fresh.trouble
        if fresh.trouble not in ("", self._in_use.trouble):
            self.trouble += "; until then what was said before holds"
            return False
        return fresh.catalogue.version != self._in_use.catalogue.version

    def _stamp(self) -> _Stamp:
        return tuple(_of(path) for path in (school_file(self._folder), district_file(self._folder)))


def _of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
