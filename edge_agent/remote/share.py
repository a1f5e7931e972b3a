"""How much of the room for signals each collector on another machine fills: none may stop the rest."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

COUNTED_SECONDS: Final = 10.0  # the store is counted so often, as days are forgotten


class Share:
    """Bytes of signals by source, as stored and as added since; a source is full from `most` on."""

    def __init__(
        self, connection: sqlite3.Connection, most: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._most = most
        self._monotonic = monotonic
        self._bytes: Counter[str] = Counter()
        self._counted = float("-inf")

    def is_full(self, source: str) -> bool:
        """Whether nothing more of it is taken for now; asked before each group of its parcels."""
        if self._monotonic() >= self._counted + COUNTED_SECONDS:
            self._counted = self._monotonic()
            found = self._connection.execute(
                "SELECT source, sum(length(payload)) FROM batches GROUP BY source"
            )
            self._bytes = Counter(dict(found.fetchall()))
        return self.was_full(source)

    def was_full(self, source: str) -> bool:
        """The same, without a look at the store; any thread."""
        return self._bytes[source] >= self._most

    def add(self, source: str, size: int) -> None:
        """This many bytes more are stored."""
        self._bytes[source] += size
