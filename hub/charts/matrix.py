"""The matrix: characteristics down, levels across, each row a distribution as depth of one colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup

from hub.charts.lettering import (
    LINE,
    block,
    fits,
    left_column,
    lines_of,
    middle,
    most_lines,
    short,
)
from shared.pages.formats import listing, share
from shared.pages.svg import drawing, element, hatching, label

Size = Literal["wide", "narrow", "small"]


@dataclass(frozen=True, kw_only=True)
class MatrixRow:
    """One dimension. `shares` by level sum to 1, or are empty: not enough evidence yet."""

    label: str
    shares: tuple[float, ...]
    calibrated: bool
    seen: float | None
    """Share of the expected device-time that was seen: the thin bar at the row's end."""
    low: int | None = None
    high: int | None = None
    """The set of levels, inclusive, which is outlined."""
    band: tuple[int, int] | None = None
    """Lowest and highest level of the one wide band that is drawn instead of the cells."""
    spread: tuple[tuple[float, float], ...] | None = None
    """By level, the smallest and largest share that any school has: a line along the cell's foot."""


@dataclass(frozen=True)
class _Geometry:
    """Lengths in pixels of one size of the drawing."""

    left: float
    cell: float
    height: float
    gap: float
    pitch: float
    top: float
    bar: float
    head: bool


_BAND_DEPTH: Final = 0.6
_HEADED: Final[tuple[Size, Size]] = ("wide", "narrow")
_WIDTH: Final = {"wide": 700.0, "narrow": 340.0, "small": 92.0}


def _geometry(size: Size, names: Sequence[str], levels: int) -> _Geometry:
    width = _WIDTH[size]
    if size == "wide":
        left, gap, bar = left_column(names), 4.0, 18.0
        pitch = max(46.0, most_lines(names, left - 8) * LINE + 8)
        return _Geometry(left, (width - left - bar) / levels - gap, 42, gap, pitch, 28, 6, True)
    if size == "narrow":
        gap, bar = 3.0, 14.0
        more = (most_lines(names, width) - 1) * LINE
        return _Geometry(0, (width - bar) / levels - gap, 34, gap, 64 + more, 70 + more, 6, True)
    gap, bar = 1.5, 6.0
    return _Geometry(0, (width - bar) / levels - gap, 9, gap, 10.5, 0, 3, False)


def depth(p: float) -> float:
    """Opacity of the one hue for a probability: rises all the way, and keeps small ones visible."""
    return float(1 - (1 - min(1.0, max(0.0, p))) ** 1.6)


def matrix(uid: str, rows: Sequence[MatrixRow], stages: Sequence[str], size: Size = "wide") -> Markup:
    """The drawing; `stages` are the levels' names, lowest first. Hatched throughout while uncalibrated."""
    names = [row.label for row in rows]
    g = _geometry(size, names, len(stages))
    parts = [hatching(uid, step=6 if g.head else 4)]
    if g.head:
        parts += _heads(g, stages, size, brief=shortened(names, stages))
    for i, row in enumerate(rows):
        parts += _row(uid, g, row, g.top + i * g.pitch, len(stages), size)
    height = g.top + max(0, len(rows) - 1) * g.pitch + g.height + 1
    title = f"Distribution over {stages[0]} to {stages[-1]} by characteristic"
    return drawing(uid, _WIDTH[size], height, title, describe(rows, stages), parts, f"matrix {size}")


def describe(rows: Sequence[MatrixRow], stages: Sequence[str]) -> str:
    """The same in words, for who cannot see the drawing."""
    said = []
    for row in rows:
        if row.shares and row.band is not None:
            said.append(f"{row.label}: somewhere from {stages[row.band[0]]} to {stages[row.band[1]]}.")
        elif row.shares:
            parts = [f"{stage} {share(p)}" for stage, p in zip(stages, row.shares, strict=True)]
            said.append(f"{row.label}: {listing(parts)}.")
        else:
            said.append(f"{row.label}: not enough evidence yet.")
    return " ".join(said)


def shortened(names: Sequence[str], stages: Sequence[str]) -> bool:
    """Whether the levels' names are too long for their columns, on a screen or on a phone.

    `names` are the rows'. The columns then carry short signs, which the key explains.
    """
    wide, narrow = (_geometry(size, names, len(stages)) for size in _HEADED)
    return not (fits(stages, wide.cell + wide.gap, 1) and fits(stages, narrow.cell + narrow.gap, 2))


def _heads(g: _Geometry, stages: Sequence[str], size: Size, *, brief: bool) -> list[Markup]:
    if brief:
        middles = [g.left + k * (g.cell + g.gap) + g.cell / 2 for k in range(len(stages))]
        y = 16 if size == "wide" else 32
        return [
            label(sign, x, y, "middle", "c-quiet") for sign, x in zip(short(stages), middles, strict=True)
        ]
    heads = []
    last = len(stages) - 1
    for k, stage in enumerate(stages):
        x = g.left + k * (g.cell + g.gap)
        if size == "wide":
            heads.append(label(stage, x + g.cell / 2, 16, "middle", "c-quiet"))
            continue
        # On a phone the names would run into each other in one line, so they take turns in two.
        anchor, at = (
            ("start", x) if k == 0 else ("end", x + g.cell) if k == last else ("middle", x + g.cell / 2)
        )
        y = 14 if k % 2 == 0 else 32
        heads.append(label(stage, at, y, anchor, "c-quiet"))
    return heads


def _row(uid: str, g: _Geometry, row: MatrixRow, y: float, levels: int, size: Size) -> list[Markup]:
    parts = []
    if size == "wide":
        parts += middle(row.label, g.left - 8, 0, y + g.height / 2)
    elif size == "narrow":
        count = len(lines_of(row.label, _WIDTH[size]))
        parts += block(row.label, _WIDTH[size], 0, y - 7 - (count - 1) * LINE)
    if row.shares and row.band is not None:
        parts += _wide_band(uid, g, row, row.band, y, levels)
    else:
        for k in range(levels):
            parts += _cell(uid, g, row, k, y)
    if row.low is not None and row.high is not None:
        wide = (row.high - row.low + 1) * (g.cell + g.gap) - g.gap
        x = g.left + row.low * (g.cell + g.gap)
        parts.append(element("rect", x=x, y=y, width=wide, height=g.height, class_="c-set"))
    if row.seen is not None:
        x = g.left + levels * (g.cell + g.gap) + (g.bar if g.head else 2)
        filled = g.height * min(1.0, max(0.0, row.seen))
        parts.append(element("rect", x=x, y=y, width=g.bar, height=g.height, class_="c-track"))
        parts.append(
            element("rect", x=x, y=y + g.height - filled, width=g.bar, height=filled, class_="c-bar")
        )
    return parts


def _wide_band(
    uid: str, g: _Geometry, row: MatrixRow, band: tuple[int, int], y: float, levels: int
) -> list[Markup]:
    """The levels as one outlined track, and the band on it in one depth, without a seam."""
    pitch = g.cell + g.gap
    low, high = band
    track = {"x": g.left + 0.5, "y": y + 0.5, "width": levels * pitch - g.gap - 1, "height": g.height - 1}
    x, wide = g.left + low * pitch + 0.5, (high - low + 1) * pitch - g.gap - 1
    box = {"x": x, "y": y + 0.5, "width": wide, "height": g.height - 1, "rx": g.height / 4}
    parts = [
        element("rect", class_="c-outline", **track),
        element("rect", class_="c-cell c-band", fill_opacity=_BAND_DEPTH, **box),
    ]
    if not row.calibrated:
        parts.append(element("rect", fill=f"url(#{uid}-hatch)", **box))
    return parts


def _cell(uid: str, g: _Geometry, row: MatrixRow, k: int, y: float) -> list[Markup]:
    x = g.left + k * (g.cell + g.gap)
    box = {"x": x + 0.5, "y": y + 0.5, "width": g.cell - 1, "height": g.height - 1}
    if not row.shares:
        return [element("rect", class_="c-missing", **box)]
    parts = [element("rect", class_="c-cell", fill_opacity=round(depth(row.shares[k]), 3), **box)]
    if not row.calibrated:
        parts.append(element("rect", fill=f"url(#{uid}-hatch)", **box))
    parts.append(element("rect", class_="c-outline", **box))
    if row.spread and g.head:
        parts.append(_range(x + 6, y + g.height - 6, g.cell - 12, *row.spread[k]))
    return parts


def _range(x: float, y: float, width: float, low: float, high: float) -> Markup:
    """A line along a cell's foot, whose whole width stands for all lessons."""
    end = x + max(width * high, width * low + 1.5)
    return element("line", x1=x + width * low, x2=end, y1=y, y2=y, class_="c-range")
