"""How small panels of one drawing are laid out: side by side on a screen, one below the other on a phone."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Size = Literal["wide", "narrow"]

SIZES: Final[tuple[Size, ...]] = ("wide", "narrow")
WIDTH: Final = {"wide": 700.0, "narrow": 340.0}
GAP: Final = 32.0
LEADING: Final = 26.0  # room of a panel's title
BETWEEN: Final = 22.0  # between one row of panels and the next
_LETTER: Final = 8.0  # mean width of a letter at 14 px


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a panel stands: its upper left corner, its width, and whether it opens a row."""

    x: float
    y: float
    width: float
    first: bool


def room_of(text: str) -> float:
    """About how wide a label is, in drawing units."""
    return _LETTER * sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def shortened(text: str, most: int = 22) -> str:
    """A label of at most so many letters; its table has it whole."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def grid(heights: list[float], columns: int, size: Size) -> tuple[list[Spot], float]:
    """A spot for each panel of these heights, and the height of all; a row is as tall as its tallest."""
    width = (WIDTH[size] - GAP * (columns - 1)) / columns
    spots: list[Spot] = []
    y = 0.0
    for row in _rows(heights, columns):
        spots += [Spot(i * (width + GAP), y, width, i == 0) for i in range(len(row))]
        y += max(row) + BETWEEN
    return spots, max(0.0, y - BETWEEN)


def _rows(heights: list[float], columns: int) -> Iterator[list[float]]:
    for at in range(0, len(heights), columns):
        yield heights[at : at + columns]
