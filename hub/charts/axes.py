"""A quiet pair of axes for weeks along and amounts upright: round steps, few labels, no frame."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup

from hub.charts.weeks import ticks
from shared.pages.formats import Order, monday, short_day
from shared.pages.svg import element, label

Size = Literal["wide", "narrow"]

WIDTH: Final = {"wide": 700.0, "narrow": 340.0}
_TALL: Final = {"wide": 200.0, "narrow": 180.0}
_TOP: Final = 34.0
_FOOT: Final = 28.0
_DIGIT: Final = 8.0
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_WANTED: Final = 4
_MOST_DATES: Final = {"wide": 8, "narrow": 4}


@dataclass(frozen=True, slots=True)
class Axes:
    """The field inside the axes, in drawing units, and the amount at its top."""

    left: float
    top: float
    width: float
    tall: float
    most: float
    count: int

    @classmethod
    def of(cls, most: float, count: int, *, percent: bool, size: Size) -> "Axes":
        """Axes for `count` weeks and amounts from 0 to `most`; a share's axis ends at 1."""
        ceiling = 1.0 if percent else scale_top(most)
        left = _DIGIT * len(_written(ceiling, percent)) + 12
        return cls(left, _TOP, WIDTH[size] - left, _TALL[size], ceiling, count)

    @property
    def pitch(self) -> float:
        """The room of one week."""
        return self.width / max(1, self.count)

    @property
    def height(self) -> float:
        """The whole drawing's height."""
        return self.top + self.tall + _FOOT

    def x(self, week: int) -> float:
        """The middle of a week."""
        return self.left + (week + 0.5) * self.pitch

    def y(self, amount: float) -> float:
        """An amount's height on the page."""
        return self.top + self.tall * (1 - amount / self.most)


def frame(
    axes: Axes, span: Sequence[str], unit: str, order: Order, *, percent: bool, size: Size
) -> list[Markup]:
    """Grid lines with their amounts, dates along the foot, and `unit` as the upright axis's name."""
    parts = [label(unit, 0, 14, class_="c-quiet")]
    step = scale_step(axes.most)
    for i in range(round(axes.most / step) + 1):
        y = axes.y(i * step)
        parts.append(label(_written(i * step, percent), axes.left - 8, y + 5, "end", "c-quiet"))
        parts.append(element("line", x1=axes.left, x2=axes.left + axes.width, y1=y, y2=y, class_="c-axis"))
    at_foot = axes.top + axes.tall + 20
    dates = [(axes.x(i), short_day(monday(span[i]), order)) for i in ticks(span, _MOST_DATES[size])]
    return [*parts, *(label(said, x, at_foot, "middle", "c-quiet") for x, said in dates)]


def scale_step(most: float) -> float:
    """The round step (1, 2, 2.5 or 5 times a power of ten) that makes about four of `most`."""
    if most <= 0:
        return 1.0
    rough = most / _WANTED
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in _STEPS if factor * power >= rough * (1 - 1e-9))


def scale_top(most: float) -> float:
    """The smallest whole number of steps that reaches `most`."""
    step = scale_step(most)
    return max(1.0, math.ceil(most / step - 1e-9)) * step


def _written(amount: float, percent: bool) -> str:
    if percent:
        return f"{amount * 100:g}%"
    return f"{amount:,.0f}" if amount >= 10 or amount == int(amount) else f"{amount:g}"
