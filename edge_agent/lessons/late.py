"""Lessons that closed before all of their signals came: found by what is new, not by looking at all again."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from edge_agent.lessons.windows import WindowKey
from edge_agent.store.windows import Bell, bells, closed_in, newest_end
from shared.signals import SignalBatch


@dataclass(frozen=True, slots=True)
class Span:
    """A class and the first and the last second (UTC) of what a batch says of it."""

    class_code: str
    first: int
    last: int


@dataclass(slots=True)
class Late:
    """Which closed lessons have newer signals; called from the agent's main loop only.

    Almost every batch is of a lesson that still goes on or has just ended: only what begins before the end of
    a lesson that is closed is looked into. What an earlier run of the agent left is looked at once.
    """

    reader: sqlite3.Connection
    decode: Callable[[bytes], SignalBatch]
    lessons: dict[WindowKey, int] = field(default_factory=dict)  # and when each ended
    _looked: int = 0  # the newest batch that was looked at
    _closed_until: float | None = None  # no closed lesson ends after it

    def look(self) -> None:
        """Take in the batches that came since the last look."""
        (newest,) = self.reader.execute("SELECT coalesce(max(id), 0) FROM batches").fetchone()
        if newest <= self._looked:
            return
        if self._closed_until is None:
            self._closed_until = newest_end(self.reader)
        found = self.reader.execute(
            "SELECT id, day, t_min, t_max FROM batches WHERE id > ? AND id <= ? AND t_min < ?",
            (self._looked, newest, self._closed_until),
        ).fetchall()
        known: dict[str, list[Bell]] = {}
        for batch, day, first, last in found:
            if day not in known:
                known[day] = bells(self.reader, day)
            if any(bell.upto < batch and bell.start <= last and first < bell.end for bell in known[day]):
                self._touch(batch)
        self._looked = newest

    def closed(self, key: WindowKey, end: int) -> None:
        """A lesson that ended then is closed with everything that was there."""
        self.lessons.pop(key, None)
        if self._closed_until is not None:
            self._closed_until = max(self._closed_until, end)

    def forgotten(self, newest: int) -> None:
        """Batches were deleted; `newest` is left, and numbers begin anew after it."""
        self._looked = min(self._looked, newest)

    def _touch(self, batch: int) -> None:
        row = self.reader.execute("SELECT payload FROM batches WHERE id = ?", (batch,)).fetchone()
        for span in spans(self.decode(row[0])):
            self.lessons.update(closed_in(self.reader, span.class_code, span.first, span.last, batch))


_NEVER: Final = np.iinfo(np.uint32).max


def spans(batch: SignalBatch) -> Iterable[Span]:
    """Each class that the batch has signals of."""
    first = np.full(len(batch.class_codes), _NEVER, np.uint32)
    last = np.zeros(len(batch.class_codes), np.uint32)
    np.minimum.at(first, batch.class_, batch.t)
    np.maximum.at(last, batch.class_, batch.t)
    found = map(Span, batch.class_codes, first.tolist(), last.tolist())
    return (span for span in found if span.first <= span.last)
