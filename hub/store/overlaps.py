"""A class is in one lesson at a time: a lesson across another one of its class is refused."""

import sqlite3
from typing import Final

from shared.errors import BadInput

_LONGEST_S: Final = 600 * 60  # the longest lesson that a record can tell of

_ACROSS: Final = """
SELECT 1 FROM lessons WHERE school_id = ? AND class = ? AND start_s > ? AND start_s < ? AND start_s != ?
AND start_s + 60 * minutes > ? LIMIT 1
"""


class Overlaps:
    """One transaction's lessons beside those of the store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._taken: dict[tuple[int, str], dict[int, int]] = {}  # ends by start, of school and class

    def check(self, school_id: int, code: str, start: int, minutes: int) -> None:
        """Take a lesson that begins at `start`, in epoch seconds.

        Raises BadInput where the class has another one between then and its end.
        """
        end = start + 60 * minutes
        taken = self._taken.setdefault((school_id, code), {})
        across = any(one < end and start < until and one != start for one, until in taken.items())
        if across or self._stored(school_id, code, start, end):
            raise BadInput("lesson_overlaps", "the class has another lesson at that time")
        taken[start] = end

    def _stored(self, school_id: int, code: str, start: int, end: int) -> bool:
        found = self._connection.execute(_ACROSS, (school_id, code, start - _LONGEST_S, end, start, start))
        return found.fetchone() is not None
