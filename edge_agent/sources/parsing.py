"""The parser of one source: a kind's reader for each of its files, with one sense of time for all of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from edge_agent.sources.facts import Reading
from edge_agent.sources.kinds import KINDS, Read
from edge_agent.sources.logtime import LogTime
from shared.errors import UsageError

Parse = Callable[[bytes, float], Reading]

HERE: Final = Path()


class Parser:
    """Called with whole lines and what time it is (seconds UTC); `begin` says that another file begins."""

    def __init__(
        self,
        kind: str,
        zone: ZoneInfo,
        year: int | None = None,
        mapping: str | None = None,
        folder: Path = HERE,
    ) -> None:
        """Raises SettingsError for a `mapping` that cannot be used, UsageError for one of no use."""
        self.kind = KINDS[kind]
        self._mapping = mapping
        self._folder = folder
        if mapping is not None and self.kind.make_mapped is None:
            raise UsageError(f"`{kind}` has no mapping: leave it out")
        self._times = LogTime(zone, year=year)
        self._read = self._make()

    def __call__(self, chunk: bytes, now: float) -> Reading:
        """See Parse."""
        self._times.at(now)
        return self._read(chunk, self._times)

    def begin(self, head: bytes, now: float) -> None:
        """From here on it is another file, or the same after a restart: then `head` are its first lines."""
        if self.kind.header:
            self._read = self._make()
            if head:
                self(head, now)

    def _make(self) -> Read:
        if self._mapping is not None and self.kind.make_mapped is not None:
            return self.kind.make_mapped(self._mapping, self._folder)
        return self.kind.make()
