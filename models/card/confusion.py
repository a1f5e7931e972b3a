"""What coaches rated by what was placed: a small square of counts for each dimension, deeper where more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from models.card.layout import LEADING, WIDTH, Size, Spot, grid, room_of, shortened
from shared.pages.svg import drawing, element, label

_MOST_CELL: Final = {"wide": 38.0, "narrow": 46.0}
_ROW: Final = 34.0
_FOOT: Final = 24.0
_SIDE_BY_SIDE: Final = 3
_GAP: Final = 1.5


@dataclass(frozen=True, slots=True)
class Square:
    """One dimension: its stages, lowest first, and counts by [rated][placed]."""

    title: str
    stages: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


def confusion_plot(uid: str, squares: Sequence[Square], *, title: str, text: str, size: Size) -> Markup:
    """The squares. Depth is a cell's share of its row, of all that coaches rated at that stage."""
    same = len({square.stages for square in squares}) == 1
    columns = 1 if size == "narrow" else min(len(squares), _SIDE_BY_SIDE if same else 2)
    names = max(room_of(shortened(name)) for square in squares for name in square.stages) + 12
    heights = [LEADING + _ROW * len(square.stages) + _FOOT for square in squares]
    spots, height = grid(heights, columns, size)
    # Side by side, stages that are the same are named once in each row of squares.
    once = same and columns > 1
    room = (WIDTH[size] - names) / columns - 20 if once else spots[0].width - names
    parts: list[Markup] = []
    for i, (square, spot) in enumerate(zip(squares, spots, strict=True)):
        left = names + i % columns * (room + 20) if once else spot.x + names
        parts += _square(square, spot, left, min(room / len(square.stages), _MOST_CELL[size]), once)
    return drawing(f"{uid}-{size}", WIDTH[size], height, title, text, parts, size)


def _square(square: Square, spot: Spot, left: float, cell: float, once: bool) -> list[Markup]:
    top, many = spot.y + LEADING, len(square.stages)
    parts = [label(square.title, left, spot.y + 14, class_="c-text k-title")]
    for i, (name, row) in enumerate(zip(square.stages, square.counts, strict=True)):
        y, total = top + i * _ROW, max(1, sum(row))
        if spot.first or not once:
            parts.append(label(shortened(name), left - 10, y + _ROW / 2 + 5, "end", "c-quiet"))
        for j, count in enumerate(row):
            x = left + j * cell
            box: dict[str, float] = {"x": x, "y": y, "width": cell - _GAP, "height": _ROW - _GAP}
            parts.append(element("rect", **box, class_="k-cell", style=f"--share: {count / total:.3f}"))
            if i == j:
                parts.append(element("rect", **box, class_="k-same"))
            if count:
                middle = x + (cell - _GAP) / 2
                parts.append(label(f"{count:,d}", middle, y + _ROW / 2 + 4, "middle", "c-text k-count"))
    foot = top + many * _ROW + 16
    ends = (square.stages[0], square.stages[-1])
    if room_of("".join(ends)) > many * cell:
        ends = ("lowest", "highest")
    parts.append(label(ends[0], left, foot, class_="c-quiet"))
    parts.append(label(ends[1], left + many * cell, foot, "end", "c-quiet"))
    return parts
