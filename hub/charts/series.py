"""Amounts by week: stacked bars of channels, and one line that breaks where a week has none."""

from collections.abc import Sequence

from markupsafe import Markup

from hub.charts.axes import WIDTH, Axes, Size, frame
from shared.pages.formats import Order
from shared.pages.svg import drawing, element
from shared.words import CHANNELS

Row = tuple[float | None, ...]


def channel_weeks(
    uid: str,
    span: Sequence[str],
    rows: Sequence[Row],
    unit: str,
    order: Order,
    *,
    title: str,
    text: str,
    percent: bool = False,
    size: Size = "wide",
) -> Markup:
    """Stacked bars: one row of eight amounts (in the order of the channels) for each ISO week of `span`.

    None is not visible and draws nothing; a week of Nones stays a gap. `unit` names the upright axis.
    """
    most = max((sum(filter(None, row)) for row in rows), default=0.0)
    axes = Axes.of(most, len(span), percent=percent, size=size)
    parts = frame(axes, span, unit, order, percent=percent, size=size)
    boxes: dict[str, list[str]] = {}
    for week, row in enumerate(rows):
        below = 0.0
        for channel, amount in zip(CHANNELS, row, strict=True):
            if amount:
                boxes.setdefault(channel, []).append(_box(axes, week, below, below + amount))
                below += amount
    # Boxes of one channel are one path: three years of weeks stay small on the wire.
    parts += [element("path", class_=f"ch-{name}", d="".join(found)) for name, found in boxes.items()]
    return drawing(uid, WIDTH[size], axes.height, title, text, parts, f"series {size}")


def line_weeks(
    uid: str,
    span: Sequence[str],
    values: Sequence[float | None],
    unit: str,
    order: Order,
    *,
    title: str,
    text: str,
    percent: bool = False,
    size: Size = "wide",
) -> Markup:
    """One line along the ISO weeks of `span`, broken where a value is None; a dot for every value."""
    most = max((value for value in values if value is not None), default=0.0)
    axes = Axes.of(most, len(span), percent=percent, size=size)
    parts = frame(axes, span, unit, order, percent=percent, size=size)
    steps, dots, pen_down = [], [], False
    for week, value in enumerate(values):
        if value is None:
            pen_down = False
            continue
        x, y = axes.x(week), axes.y(value)
        steps.append(f"{'L' if pen_down else 'M'}{x:.1f},{y:.1f}")
        dots.append(f"M{x - 2:.1f},{y:.1f}a2,2 0 1,0 4,0a2,2 0 1,0 -4,0")
        pen_down = True
    parts.append(element("path", class_="c-line", d="".join(steps)))
    parts.append(element("path", class_="c-accent", d="".join(dots)))
    return drawing(uid, WIDTH[size], axes.height, title, text, parts, f"series {size}")


def _box(axes: Axes, week: int, low: float, high: float) -> str:
    wide = axes.pitch - min(3.0, axes.pitch * 0.15)
    top, foot = axes.y(high), axes.y(low)
    # A line of paper keeps neighbours apart whatever their colours, unless the box is thinner than that.
    tall = max(0.4, foot - top - 0.6)
    return f"M{axes.x(week) - wide / 2:.1f},{top:.1f}h{wide:.1f}v{tall:.1f}h-{wide:.1f}z"
