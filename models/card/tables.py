"""How a card's tables are put together."""

from collections.abc import Sequence
from typing import Final

from shared.pages.figure import Cell, Kind, Table

RATINGS: Final[tuple[str, Kind]] = ("ratings", "count")


def table(columns: Sequence[tuple[str, Kind]], rows: Sequence[tuple[Cell, ...]]) -> Table:
    """A table of these columns and rows."""
    return Table(columns=tuple(columns), rows=tuple(rows))
