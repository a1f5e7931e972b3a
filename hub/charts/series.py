"""Ordinary series by week, declared with Altair and drawn to SVG on the server, in the page's own colours."""

import gc
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
_DATA: Final = "rows"
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
    # What was loaded stays as long as the process; without this the collector walks through it again and again.
    gc.freeze()


@lru_cache(maxsize=512)
def _channel_svg(
    span: tuple[str, ...], rows: tuple[Row, ...], order: Order, percent: bool, size: Size
) -> str:
    values = [
        {"week": week, "channel": channel, "stack": i, "amount": amount}
        for week, row in zip(span, rows, strict=True)
        for i, (channel, amount) in enumerate(zip(CHANNELS, row, strict=True))
        if amount is not None
    ]
    return _draw(_declared(_bars, span, order, percent, size), values)


@lru_cache(maxsize=512)
def _line_svg(
    span: tuple[str, ...], values: tuple[float | None, ...], order: Order, percent: bool, size: Size
) -> str:
    rows = [{"week": week, "amount": value} for week, value in zip(span, values, strict=True)]
    return _draw(_declared(_line, span, order, percent, size), rows)


def _draw(declared: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg({**declared, "datasets": {_DATA: rows}})
    return _themed(drawn)


@lru_cache(maxsize=64)
def _declared(
    marks: Callable[[Any], Any], span: tuple[str, ...], order: Order, percent: bool, size: Size
) -> dict[str, Any]:
    """The chart without its numbers; Altair checks it at length, so once for every school of the district."""
    # Imported here: with its renderer it takes a second and a hundred megabytes, which only pages need.
    import altair as alt

    width, height = _SIZE[size]
    names = {span[i]: short_day(monday(span[i]), order) for i in ticks(span, _MOST_TICKS[size])}
    along = alt.Axis(
        values=list(names),
        labelExpr=f"({json.dumps(names)})[datum.value]",
        labelAngle=0,
        title=None,
        grid=False,
    )
    upright = alt.Axis(tickCount=4, format=".0%" if percent else ",.0f", domain=False, ticks=False)
    chart = marks(alt.Chart(alt.NamedData(name=_DATA))).encode(
        x=alt.X("week:O", axis=along, scale=alt.Scale(domain=list(span), paddingInner=0.15)),
        y=alt.Y("amount:Q", title=None, axis=upright),
    )
    fit = alt.AutoSizeParams(type="fit", contains="padding")
    chart = chart.properties(width=width, height=height, autosize=fit, padding=2)
    chart = chart.configure(aria=False, background="transparent", font="sans-serif")
    chart = chart.configure_view(stroke="transparent").configure_axis(
        labelColor=_QUIET,
        gridColor=_RULE,
        domainColor=_RULE,
        tickColor=_RULE,
        labelFontSize=14,
        labelPadding=6,
    )
    declared: dict[str, Any] = chart.to_dict()
    return declared


def _bars(chart: Any) -> Any:
    import altair as alt

    scale = alt.Scale(domain=list(CHANNELS), range=[_OF[f"--{channel}"] for channel in CHANNELS])
    colour = alt.Color("channel:N", legend=None, scale=scale)
    return chart.mark_bar(stroke=_PAPER, strokeWidth=0.6).encode(color=colour, order=alt.Order("stack:Q"))


def _line(chart: Any) -> Any:
    import altair as alt

    points = alt.OverlayMarkDef(color=_ACCENT, fill=_ACCENT, size=14)
    return chart.mark_line(color=_ACCENT, strokeWidth=2, strokeJoin="round", point=points)


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
