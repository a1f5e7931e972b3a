"""Whether probabilities mean what they say: what was predicted against what coaches then saw."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from models.card.layout import LEADING, WIDTH, Size, Spot, grid
from models.scoring.fit_file import CalibrationBin
from shared.pages.svg import drawing, element, label

_LEFT: Final = 48.0
_FOOT: Final = 24.0
_TALL: Final = 176.0
_SIDE_BY_SIDE: Final = 3
_WIDEST: Final = 240.0
_DOT: Final = 0.85  # radius of a dot for one rating; its area grows with ratings
_LEAST_DOT: Final = 2.0
_MOST_DOT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Reliability:
    """One dimension's bins, at cutpoints 0..cutpoints-1."""

    title: str
    cutpoints: int
    bins: tuple[CalibrationBin, ...]


def reliability_plot(uid: str, found: Sequence[Reliability], *, title: str, text: str, size: Size) -> Markup:
    """A field a dimension: predicted along, seen upright, on the slanted line where both are the same."""
    columns = 1 if size == "narrow" else min(len(found), _SIDE_BY_SIDE)
    spots, height = grid([LEADING + _TALL + _FOOT] * len(found), columns, size)
    parts: list[Markup] = []
    for one, spot in zip(found, spots, strict=True):
        parts += _field(one, spot)
    return drawing(f"{uid}-{size}", WIDTH[size], height, title, text, parts, size)


def depth(cutpoint: int, cutpoints: int) -> float:
    """How deep a cutpoint's hue is, from light for the lowest to full for the highest."""
    return 1.0 if cutpoints < 2 else 0.15 + 0.85 * cutpoint / (cutpoints - 1)


def _field(one: Reliability, spot: Spot) -> list[Markup]:
    left, top = spot.x + _LEFT, spot.y + LEADING
    wide = min(spot.width - _LEFT - 6, _WIDEST)

    def x(share: float) -> float:
        return left + share * wide

    def y(share: float) -> float:
        return top + (1 - share) * _TALL

    parts = [label(one.title, left, spot.y + 14, class_="c-text k-title")]
    for share, words, upright in ((0.0, "0%", "0%"), (0.5, "predicted", "seen"), (1.0, "100%", "100%")):
        parts.append(element("line", x1=left, x2=left + wide, y1=y(share), y2=y(share), class_="c-axis"))
        parts.append(label(upright, left - 6, y(share) + 5, "end", "c-quiet"))
        anchor = "start" if share == 0 else "end" if share == 1 else "middle"
        parts.append(label(words, x(share), y(0) + 17, anchor, "c-quiet"))
    parts.append(element("line", x1=x(0), y1=y(0), x2=x(1), y2=y(1), class_="c-middle"))
    for bin_ in sorted(one.bins, key=lambda bin_: -bin_.ratings):
        radius = min(max(_DOT * math.sqrt(bin_.ratings), _LEAST_DOT), _MOST_DOT)
        place: dict[str, float] = {"cx": x(bin_.predicted), "cy": y(bin_.seen), "r": radius}
        hue = depth(bin_.stage, one.cutpoints)
        parts.append(element("circle", **place, class_="k-bin", fill_opacity=hue))
    return parts
