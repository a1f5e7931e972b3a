"""Signals by minute as a figure: bars left to right, the newest minute last."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from markupsafe import Markup

from edge_agent.pages.shape import Minute
from shared.pages.figure import Figure, Table
from shared.pages.formats import Order, clock_words, count, number
from shared.pages.svg import drawing, element, label

Size = Literal["wide", "narrow"]

_WIDTH: Final = {"wide": 700.0, "narrow": 340.0}
_TALL: Final = 110.0
_TOP: Final = 24.0
_WIDEST: Final = 24.0


def minutes_figure(minutes: Sequence[Minute], order: Order) -> Figure:
    """The last minutes that had signals, at most sixty."""
    total = sum(minute.count for minute in minutes)
    return Figure(
        name="minutes",
        says=f"{count(total, 'signal')} in the last {count(len(minutes), 'minute')} that had any.",
        wide=_bars("minutes-wide", minutes, order, "wide"),
        narrow=_bars("minutes-narrow", minutes, order, "narrow"),
        limits="Minutes without a signal are left out: outside lessons there is"
        " nothing to see, and nothing is kept.",
        table=Table(
            columns=(("Minute", "text"), ("Signals", "count")),
            rows=tuple((minute.minute, minute.count) for minute in minutes),
        ),
    )


def _bars(uid: str, minutes: Sequence[Minute], order: Order, size: Size) -> Markup:
    width = _WIDTH[size]
    most = max(minute.count for minute in minutes) or 1
    pitch = min(_WIDEST, width / len(minutes))
    floor = _TOP + _TALL
    parts = [
        label(f"at most {number(most)} in a minute", 0, 14, class_="c-quiet"),
        element("line", x1=0, x2=width, y1=floor + 0.5, y2=floor + 0.5, class_="c-axis"),
    ]
    for i, minute in enumerate(minutes):
        high = _TALL * minute.count / most
        x, wide = i * pitch, pitch - min(2.0, pitch * 0.2)
        parts.append(element("rect", x=x, y=floor - high, width=wide, height=high, class_="c-accent"))
    first, last = (_clock(minutes[at], order) for at in (0, -1))
    parts.append(label(first, 0, floor + 20, class_="c-quiet"))
    end = pitch * len(minutes)
    if end > width / 2:
        parts.append(label(last, end, floor + 20, "end", "c-quiet"))
    text = f"From {first} to {last}; the table beneath has every minute."
    return drawing(uid, width, floor + 26, "Signals by minute", text, parts, f"minutes {size}")


def _clock(minute: Minute, order: Order) -> str:
    return clock_words(datetime.fromisoformat(minute.minute), order)
