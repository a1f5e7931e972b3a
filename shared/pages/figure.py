"""A figure as every page shows one: a sentence, a drawing, its limits, its table, its data as CSV."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from markupsafe import Markup

from shared.pages import formats

Cell = str | float | int | None
Kind = Literal["text", "share", "number", "count"]

# How a cell is written for people, by its column's kind; text and counts go as they are.
_WORDS: Final[Mapping[Kind, Callable[[float | None], str]]] = MappingProxyType(
    {"share": formats.share, "number": formats.number}
)


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a drawing shows, as rows; each column has a name and a kind. The first column names the row."""

    columns: tuple[tuple[str, Kind], ...]
    rows: tuple[tuple[Cell, ...], ...]

    def words(self) -> list[list[str]]:
        """The rows as people read them."""
        return [
            [_cell(cell, kind) for cell, (_, kind) in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]

    def csv(self) -> str:
        """The rows with full precision, missing cells blank; text that a spreadsheet would run is defused."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(_defused(name) for name, _ in self.columns)
        for row in self.rows:
            writer.writerow("" if cell is None else _defused(cell) for cell in row)
        return out.getvalue()


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure. `wide` and `narrow` are the same drawing for a screen and for a phone."""

    name: str
    """Unique on its page; the fragment and the CSV's name."""
    says: str
    """The sentence above: what it shows."""
    wide: Markup
    narrow: Markup
    limits: str
    """The caption: what it cannot show."""
    table: Table
    full: Table | None = None
    """What goes into the CSV where it is more than the page has room for."""
    key: Markup = field(default_factory=Markup)
    """What its colours and lines mean."""
    origins: tuple[str, ...] = ()
    """Where its numbers come from: names of marks."""
    more: tuple[str, str] | None = None
    """An address and its words, for what the caption has no room to explain."""


def _cell(cell: Cell, kind: Kind) -> str:
    if isinstance(cell, str):
        return cell
    if kind in _WORDS:
        return _WORDS[kind](cell)
    return formats.MISSING if cell is None else f"{cell:,d}" if isinstance(cell, int) else str(cell)


def _defused(cell: Cell) -> Cell:
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{cell}"
    return cell
