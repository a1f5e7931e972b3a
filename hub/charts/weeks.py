"""The weeks: one band a characteristic along a term, lessons counted beneath, gaps staying gaps."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, Literal

from markupsafe import Markup

from hub.charts.lettering import LINE, block, left_column, middle, most_lines
from hub.charts.matrix import depth
from shared.pages.formats import Order, monday, number, short_day
from shared.pages.svg import drawing, element, hatching, label

Size = Literal["wide", "narrow"]

LONGEST: Final = 52
_WIDTH: Final = {"wide": 700.0, "narrow": 340.0}
_LEVEL: Final = 9.0
_RUN_DEPTH: Final = 0.6
_DEPTHS: Final = 20
_DATE_ROOM: Final = 48.0
_DIGIT: Final = 9.5


@dataclass(frozen=True, kw_only=True)
class Band:
    """One dimension along the weeks: shares by level (lowest first) of each week that has any."""

    label: str
    shares: Mapping[str, tuple[float, ...]]
    runs: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By week the lowest and highest level of the one wide box that is drawn instead of the levels."""
    calibrated: bool = False
    """Whether it is free of hatching even where others are not."""


def calendar(weeks: Sequence[str]) -> list[str]:
    """Every ISO week from the first to the last of `weeks`, the silent ones included."""
    if not weeks:
        return []
    first, last = monday(min(weeks)), monday(max(weeks))
    return [iso_week(first + timedelta(weeks=i)) for i in range((last - first).days // 7 + 1)]


def iso_week(day: date) -> str:
    """The ISO week of a day, for example `2025-W14`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def ticks(span: Sequence[str], most: int) -> list[int]:
    """At most `most` positions along `span`, evenly apart, the first among them."""
    every = max(1, -(-len(span) // most))
    return list(range(0, len(span), every))


def weeks(
    uid: str,
    bands: Sequence[Band],
    lessons: Mapping[str, int],
    stages: Sequence[str],
    order: Order,
    *,
    calibrated: bool,
    size: Size = "wide",
    counted: str = "lessons",
) -> Markup:
    """The drawing of the newest `LONGEST` weeks; `lessons` counts by ISO week what stands behind each."""
    span = calendar(list(lessons))[-LONGEST:]
    names = [band.label for band in bands]
    left = left_column(names) if size == "wide" else 0.0
    room = left - 8 if size == "wide" else _WIDTH[size]
    above = 0.0 if size == "wide" else 5.0 + LINE * most_lines(names, room)
    pitch = min(34.0, (_WIDTH[size] - left) / max(1, len(span)))
    tall = _LEVEL * len(stages)
    parts = [hatching(uid, "c-hatch-fine", 5)]
    y = 0.0
    for band in bands:
        deep = max(tall, most_lines(names, room) * LINE) if size == "wide" else tall
        down = (deep - tall) / 2
        parts += (
            middle(band.label, room, 0, y + deep / 2)
            if size == "wide"
            else block(band.label, room, 0, y + 15)
        )
        y += above
        parts += _band(uid, band, span, lessons, left, y + down, pitch, tall, calibrated)
        y += deep + 14
    parts += _counts(span, lessons, left, y, pitch, size, counted)
    y += 58 if size == "wide" else 80
    parts += _dates(span, left, y, pitch, order, size)
    title = f"Distribution by week, {stages[0]} at the foot of each band, {stages[-1]} on top"
    seen = sum(1 for week in span if week in lessons)
    text = f"{len(span)} weeks along, {seen} of them with {counted}. The table beneath has every number."
    return drawing(uid, _WIDTH[size], y + 22, title, text, parts, f"weeks {size}")


def _band(
    uid: str,
    band: Band,
    span: Sequence[str],
    lessons: Mapping[str, int],
    left: float,
    top: float,
    pitch: float,
    tall: float,
    calibrated: bool,
) -> list[Markup]:
    wide = pitch - min(2.0, pitch * 0.12)
    cells: dict[int, list[str]] = defaultdict(list)
    whole, missing, boxed = [], [], []
    for i, week in enumerate(span):
        shares = band.shares.get(week, ())
        x = left + i * pitch
        if shares and week in band.runs:
            low, high = band.runs[week]
            y = top + (len(shares) - 1 - high) * _LEVEL
            cells[round(_RUN_DEPTH * _DEPTHS)].append(_box(x, y, wide, (high - low + 1) * _LEVEL))
            boxed.append(cells[round(_RUN_DEPTH * _DEPTHS)][-1])
        else:
            for k, p in enumerate(shares):
                y = top + (len(shares) - 1 - k) * _LEVEL
                cells[round(depth(p) * _DEPTHS)].append(_box(x, y, wide, _LEVEL))
        if shares:
            whole.append(_box(x, top, wide, tall))
        elif week in lessons:
            missing.append(_box(x, top, wide, tall))
    # Cells of one depth are one path: a term of bands stays small on the wire.
    parts = [
        element("path", class_="c-cell", fill_opacity=step / _DEPTHS, d="".join(boxes))
        for step, boxes in sorted(cells.items())
        if step
    ]
    if not (calibrated or band.calibrated):
        parts.append(element("path", fill=f"url(#{uid}-hatch)", d="".join(boxed or whole)))
    parts.append(element("path", class_="c-outline", d="".join(whole)))
    if missing:
        parts.append(element("path", class_="c-missing", d="".join(missing)))
    return parts


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:.1f},{y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"


def _counts(
    span: Sequence[str],
    lessons: Mapping[str, int],
    left: float,
    top: float,
    pitch: float,
    size: Size,
    counted: str,
) -> list[Markup]:
    tall = 36.0
    most = max(lessons.values(), default=1) or 1
    head = counted[:1].upper() + counted[1:]
    shift = 0.0 if size == "wide" else 22.0
    parts = [label(head, 0, top + (tall / 2 + 12 if size == "wide" else 15), class_="c-quiet")]
    said = {week: number(n) if n >= 1000 else str(n) for week, n in lessons.items()}
    numbered = pitch >= _DIGIT * max(map(len, said.values()), default=0)
    for i, week in enumerate(span):
        n = lessons.get(week)
        if n is None:
            continue
        high = max(1.0, (tall - 16) * n / most)
        x, y = left + i * pitch, top + shift + tall - high
        parts.append(
            element("rect", x=x, y=y, width=pitch - min(2.0, pitch * 0.12), height=high, class_="c-bar")
        )
        if numbered or (n == most and week == _fullest(lessons)):
            parts.append(label(said[week], x + pitch / 2, y - 4, "middle", "c-quiet"))
    return parts


def _fullest(lessons: Mapping[str, int]) -> str:
    return max(sorted(lessons), key=lambda week: lessons[week])


def _dates(
    span: Sequence[str], left: float, y: float, pitch: float, order: Order, size: Size
) -> list[Markup]:
    room = max(1, int(pitch * len(span) // (70 if size == "wide" else 62)))
    end = left + pitch * len(span)
    parts = []
    for i in ticks(span, room):
        x = left + i * pitch
        parts.append(element("line", x1=x, x2=x, y1=y - 18, y2=y - 12, class_="c-axis"))
        if x + _DATE_ROOM <= max(end, _WIDTH[size]):
            parts.append(label(short_day(monday(span[i]), order), x, y + 4, "start", "c-quiet"))
    return parts
