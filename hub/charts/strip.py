"""The strip: a lesson left to right in five-minute steps, channels stacked, no trace hatched on top."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from markupsafe import Markup

from hub.charts.keys import CHANNEL_WORDS
from shared.pages.formats import listing, share
from shared.pages.svg import drawing, element, hatching, label
from shared.words import CHANNELS

Size = Literal["wide", "narrow", "small"]

_ROOM_AT_END: Final = 76.0
_WIDTH: Final = {"wide": 700.0, "narrow": 340.0, "small": 200.0}
_HEIGHT: Final = {"wide": 150.0, "narrow": 130.0, "small": 44.0}


def strip(uid: str, steps: Sequence[Mapping[str, float]], minutes: int, size: Size = "wide") -> Markup:
    """The drawing; each step maps channels to shares of the expected device-time, the rest left no trace."""
    axis = size != "small"
    left, foot = (44.0, 30.0) if axis else (0.0, 0.0)
    top = 8.0 if axis else 0.0
    width, tall = _WIDTH[size] - left, _HEIGHT[size]
    pitch = width / max(1, len(steps))
    gap = min(2.0, pitch * 0.15)
    parts = [hatching(uid, "c-unseen-line", 6 if axis else 5)]
    if axis:
        parts += _scale(left, width, top, tall)
    for i, step in enumerate(steps):
        parts += _column(uid, step, left + i * pitch + gap / 2, pitch - gap, top, tall)
    if axis:
        parts += _minutes(left, width, top + tall, minutes, size)
    return drawing(
        uid,
        _WIDTH[size],
        top + tall + foot,
        f"The lesson’s {minutes} minutes, by channel",
        describe(steps),
        parts,
        f"strip {size}",
    )


def means(steps: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Each channel's share of the whole lesson's expected device-time, and `unseen`."""
    n = max(1, len(steps))
    found = {channel: sum(step.get(channel, 0.0) for step in steps) / n for channel in CHANNELS}
    return found | {"unseen": max(0.0, 1 - sum(found.values()))}


def describe(steps: Sequence[Mapping[str, float]]) -> str:
    """The lesson in words: each channel's share, then what left no trace."""
    if not steps:
        return "No app left a trace in this lesson."
    found = means(steps)
    parts = [f"{CHANNEL_WORDS[c]} {share(found[c])}" for c in CHANNELS if found[c] > 0]
    parts.append(f"no trace {share(found['unseen'])}")
    return f"Of the expected device-time: {listing(parts)}."


def _column(
    uid: str, step: Mapping[str, float], x: float, width: float, top: float, tall: float
) -> list[Markup]:
    parts = []
    y = top + tall
    for channel in CHANNELS:
        high = step.get(channel, 0.0) * tall
        if high <= 0:
            continue
        y -= high
        drawn = max(0.4, high - 1)  # a line of paper keeps neighbours apart whatever their colours
        parts.append(element("rect", x=x, y=y, width=width, height=drawn, class_=f"ch-{channel}"))
    if y - top > 0.5:
        box = {"x": x + 0.5, "y": top + 0.5, "width": max(0.5, width - 1), "height": y - top - 1}
        if box["height"] > 0:
            parts.append(element("rect", fill=f"url(#{uid}-hatch)", class_="c-unseen", **box))
    return parts


def _scale(left: float, width: float, top: float, tall: float) -> list[Markup]:
    parts = []
    for value, words in ((0.0, "none"), (0.5, "half"), (1.0, "all")):
        y = top + tall * (1 - value)
        parts.append(label(words, left - 8, y + 5, "end", "c-quiet"))
        parts.append(element("line", x1=left, x2=left + width, y1=y, y2=y, class_="c-axis"))
    return parts


def _minutes(left: float, width: float, y: float, minutes: int, size: Size) -> list[Markup]:
    every = 10 if minutes <= 60 or size == "wide" else 20
    a_minute = width / max(1, minutes)
    parts = [label(f"{minutes} min", left + width, y + 20, "end", "c-quiet")]
    for at in range(0, minutes, every):
        if (minutes - at) * a_minute > _ROOM_AT_END:
            anchor = "middle" if at else "start"
            parts += [label(str(at), left + at * a_minute, y + 20, anchor, "c-quiet")]
    return parts
