"""Ordinary series by week, declared with Altair and drawn to SVG on the server, in the page's own colours."""

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

from markupsafe import Markup

from hub.charts.weeks import ticks
from shared.pages.formats import Order, monday, short_day
from shared.pages.svg import drawing, element, label
from shared.words import CHANNELS

Size = Literal["wide", "narrow"]
Row = tuple[float | None, ...]

_SIZE: Final = {"wide": (700, 260), "narrow": (340, 240)}
_HEAD: Final = 26
_MOST_TICKS: Final = {"wide": 8, "narrow": 4}

# Vega knows no variables of a style sheet: these colours stand for them and are replaced in what it draws.
_COLOURS: Final = {
    **{f"#c0c0{i:02x}": f"--{channel}" for i, channel in enumerate(CHANNELS)},
    "#d0d001": "--quiet",
    "#d0d002": "--rule",
    "#d0d003": "--accent",
    "#d0d004": "--paper",
}
_OF: Final = {variable: colour for colour, variable in _COLOURS.items()}
_QUIET, _RULE, _ACCENT, _PAPER = _OF["--quiet"], _OF["--rule"], _OF["--accent"], _OF["--paper"]


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
    return _framed(_channel_svg(tuple(span), tuple(rows), order, percent, size), unit, uid, title, text, size)


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
    """One line along the ISO weeks of `span`, broken where a value is None."""
    return _framed(_line_svg(tuple(span), tuple(values), order, percent, size), unit, uid, title, text, size)


def warm_up() -> None:
    """Load Altair and start its renderer, a second or two once, so that no reader has to wait for it."""
    _line_svg(("2025-W01",), (1.0,), "dmy", False, "narrow")


@lru_cache(maxsize=512)
def _channel_svg(
    span: tuple[str, ...], rows: tuple[Row, ...], order: Order, percent: bool, size: Size
) -> str:
    import altair as alt

    values = [
        {"week": week, "channel": channel, "stack": i, "amount": amount}
        for week, row in zip(span, rows, strict=True)
        for i, (channel, amount) in enumerate(zip(CHANNELS, row, strict=True))
        if amount is not None
    ]

    def build(x: Any) -> Any:
        colour = alt.Color(
            "channel:N",
            legend=None,
            scale=alt.Scale(domain=list(CHANNELS), range=[_OF[f"--{channel}"] for channel in CHANNELS]),
        )
        bars = alt.Chart(alt.InlineData(values=values)).mark_bar(stroke=_PAPER, strokeWidth=0.6)
        return bars.encode(x=x, y=_upright(percent), color=colour, order=alt.Order("stack:Q"))

    return _draw(build, span, order, size)


@lru_cache(maxsize=512)
def _line_svg(
    span: tuple[str, ...], values: tuple[float | None, ...], order: Order, percent: bool, size: Size
) -> str:
    import altair as alt

    rows = [{"week": week, "amount": value} for week, value in zip(span, values, strict=True)]

    def build(x: Any) -> Any:
        points = alt.OverlayMarkDef(color=_ACCENT, fill=_ACCENT, size=14)
        line = alt.Chart(alt.InlineData(values=rows)).mark_line(
            color=_ACCENT, strokeWidth=2, strokeJoin="round", point=points
        )
        return line.encode(x=x, y=_upright(percent))

    return _draw(build, span, order, size)


def _upright(percent: bool) -> Any:
    import altair as alt

    axis = alt.Axis(tickCount=4, format=".0%" if percent else ",.0f", domain=False, ticks=False)
    return alt.Y("amount:Q", title=None, axis=axis)


def _draw(build: Callable[[Any], Any], span: tuple[str, ...], order: Order, size: Size) -> str:
    # Imported here: together they take a second and a hundred megabytes, which a hub without pages saves.
    import altair as alt
    import vl_convert

    width, height = _SIZE[size]
    marked = ticks(span, _MOST_TICKS[size])
    names = {span[i]: short_day(monday(span[i]), order) for i in marked}
    axis = alt.Axis(
        values=list(names),
        labelExpr=f"({json.dumps(names)})[datum.value]",
        labelAngle=0,
        title=None,
        grid=False,
    )
    x = alt.X("week:O", axis=axis, scale=alt.Scale(domain=list(span), paddingInner=0.15))
    chart = build(x).properties(
        width=width, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding"), padding=2
    )
    styled = chart.configure(aria=False, background="transparent", font="sans-serif").configure_view(
        stroke="transparent"
    )
    styled = styled.configure_axis(
        labelColor=_QUIET,
        gridColor=_RULE,
        domainColor=_RULE,
        tickColor=_RULE,
        labelFontSize=14,
        labelPadding=6,
    )
    drawn: str = vl_convert.vegalite_to_svg(styled.to_dict())
    return _themed(drawn)


def _themed(svg: str) -> str:
    """The drawing without its own frame and faces, its colours those of the style sheet."""
    for colour, variable in _COLOURS.items():
        svg = svg.replace(f'"{colour}"', f'"var({variable})"')
    svg = re.sub(r' (font-family|role|aria-[a-z]+|pointer-events|class|opacity)="[^"]*"', "", svg)
    svg = re.sub(r"\d+\.\d\d+", lambda found: f"{float(found[0]):.1f}", svg)
    return re.sub(r"^<svg[^>]*>", "", svg).removesuffix("</svg>")


def _framed(inner: str, unit: str, uid: str, title: str, text: str, size: Size) -> Markup:
    width, height = _SIZE[size]
    head = label(unit, 0, 14, class_="c-quiet")
    # Drawn by Vega from declared numbers; every text in it was escaped there.
    body = element("g", Markup(inner), transform=f"translate(0,{_HEAD})")  # noqa: S704 - as said above
    return drawing(uid, width, height + _HEAD, title, text, [head, body], f"series {size}")
