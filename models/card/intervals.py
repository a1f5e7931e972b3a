"""The interval plot: a row a thing, its figure a dot on the line that is its doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from models.card.layout import GAP, LEADING, WIDTH, Size, Spot, grid, room_of, shortened
from shared.pages.svg import drawing, element, label

_PITCH: Final = 26.0
_FOOT: Final = 24.0
_LEAST_PLOT: Final = 84.0
_MOST_COLUMNS: Final = 5
_ANCHORS: Final = {0.0: "start", 0.5: "middle", 1.0: "end"}


@dataclass(frozen=True, slots=True)
class Row:
    """A thing with its figure and interval; `mark` is what it is compared with, `note` stands at the end."""

    label: str
    middle: float | None
    low: float | None = None
    high: float | None = None
    mark: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows under one title."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """What all panels are drawn on: its ends, quiet lines, one line that matters, and words at the foot, of
    which the later give way where there is no room.
    """

    low: float
    high: float
    lines: tuple[float, ...]
    middle: float
    foot: tuple[tuple[float, str], ...]


def interval_plot(
    uid: str, panels: Sequence[Panel], scale: Scale, *, title: str, text: str, size: Size
) -> Markup:
    """Panels of rows on one scale; an end beyond the scale is cut there."""
    names = max((room_of(shortened(row.label)) for panel in panels for row in panel.rows), default=0.0) + 12
    notes = max((room_of(row.note) for panel in panels for row in panel.rows), default=0.0)
    notes += 10 if notes else 0
    columns = _columns(len(panels), names + notes, size)
    heights = [LEADING + len(panel.rows) * _PITCH + _FOOT for panel in panels]
    spots, height = grid(heights, columns, size)
    parts: list[Markup] = []
    for panel, spot in zip(panels, spots, strict=True):
        parts += _panel(panel, spot, scale, names, notes)
    return drawing(f"{uid}-{size}", WIDTH[size], height, title, text, parts, size)


def _columns(panels: int, taken: float, size: Size) -> int:
    """As many side by side as leave each a plot that can be read."""
    if size == "narrow":
        return 1
    fit = int((WIDTH[size] + GAP) / (taken + _LEAST_PLOT + GAP))
    rows = -(-panels // max(1, min(panels, fit, _MOST_COLUMNS)))
    return -(-panels // rows)  # five in rows of three and two, not of four and one


def _panel(panel: Panel, spot: Spot, scale: Scale, names: float, notes: float) -> list[Markup]:
    left, right = spot.x + names, spot.x + spot.width - notes
    top, bottom = spot.y + LEADING, spot.y + LEADING + len(panel.rows) * _PITCH

    def x(value: float) -> float:
        inside = min(max(value, scale.low), scale.high)
        return left + (inside - scale.low) / (scale.high - scale.low) * (right - left)

    parts = [label(panel.title, spot.x, spot.y + 14, class_="c-text k-title")] if panel.title else []
    for value in (*scale.lines, scale.middle):
        kind = "c-middle" if value == scale.middle else "c-axis"
        parts.append(element("line", x1=x(value), x2=x(value), y1=top, y2=bottom, class_=kind))
    for i, row in enumerate(panel.rows):
        y = top + (i + 0.5) * _PITCH
        parts.append(label(shortened(row.label), spot.x, y + 5))
        if row.low is not None and row.high is not None:
            parts.append(element("line", x1=x(row.low), x2=x(row.high), y1=y, y2=y, class_="c-range"))
        if row.mark is not None:
            parts.append(element("line", x1=x(row.mark), x2=x(row.mark), y1=y - 8, y2=y + 8, class_="k-mark"))
        if row.middle is not None:
            parts.append(element("circle", cx=x(row.middle), cy=y, r=5, class_="k-dot"))
        if row.note:
            parts.append(label(row.note, spot.x + spot.width, y + 5, "end", "c-quiet"))
    taken: list[tuple[float, float]] = []
    for value, words in scale.foot:
        share = 0.0 if value == scale.low else 1.0 if value == scale.high else 0.5
        start = x(value) - share * room_of(words)
        if all(start + room_of(words) <= a or b <= start for a, b in taken):
            taken.append((start, start + room_of(words)))
            parts.append(label(words, x(value), bottom + 16, _ANCHORS[share], "c-quiet"))
    return parts
