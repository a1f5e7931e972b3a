"""Pushes: what each sign adds, as bars from a line in the middle toward the lower or the higher levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup

from shared.pages.formats import number
from shared.pages.svg import drawing, element, hatching, label

Size = Literal["wide", "narrow"]

_WIDTH: Final = {"wide": 700.0, "narrow": 340.0}
_LEFT: Final = {"wide": 350.0, "narrow": 0.0}
_ABOVE: Final = {"wide": 0.0, "narrow": 40.0}
_BAR: Final = 18.0
_PITCH: Final = 46.0
_VALUE: Final = 48.0  # room for a number beside the longest bar
_HEAD: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class Push:
    """One sign: its name, its value here and typically in words, and what it adds in log-odds."""

    label: str
    note: str
    value: float


def signed(value: float) -> str:
    """A push with its sign; nothing is `0`."""
    if number(abs(value)) == "0":
        return "0"
    return f"{'+' if value > 0 else '−'}{number(abs(value))}"


def pushes(uid: str, rows: Sequence[Push], *, calibrated: bool, size: Size = "wide") -> Markup:
    """The drawing, on one scale for all rows; hatched while uncalibrated."""
    left, above = _LEFT[size], _ABOVE[size]
    half = (_WIDTH[size] - left) / 2
    middle = left + half
    most = max((abs(row.value) for row in rows), default=0.0) or 1.0
    pitch = _PITCH + above
    parts = [
        hatching(uid, step=6),
        label("lower levels", middle - 8, 14, "end", "c-quiet"),
        label("higher levels", middle + 8, 14, "start", "c-quiet"),
    ]
    for i, row in enumerate(rows):
        top = _HEAD + i * pitch
        parts += [label(row.label, 0, top + 13), label(row.note, 0, top + 31, class_="c-quiet")]
        y = top + above + (9 if size == "wide" else 0)
        long = abs(row.value) / most * (half - _VALUE)
        x = middle if row.value > 0 else middle - long
        box = {"x": x, "y": y, "width": long, "height": _BAR}
        parts.append(element("rect", class_="c-cell", fill_opacity=0.75, **box))
        if not calibrated:
            parts.append(element("rect", fill=f"url(#{uid}-hatch)", **box))
        right = row.value > 0
        at = middle + long + 6 if right else middle - long - 6
        parts.append(element("line", x1=middle, x2=middle, y1=y - 6, y2=y + _BAR + 6, class_="c-middle"))
        parts.append(label(signed(row.value), at, y + 14, "start" if right else "end", "c-quiet"))
    height = _HEAD + len(rows) * pitch
    title = "What moved it toward the lower or the higher levels"
    return drawing(uid, _WIDTH[size], height, title, describe(rows), parts, f"pushes {size}")


def describe(rows: Sequence[Push]) -> str:
    """The same in words, for who cannot see the drawing."""
    return " ".join(f"{row.label} ({row.note}): {signed(row.value)}." for row in rows) or "Nothing moved it."
