"""The keys of a card's drawings: what a dot, a line and a depth mean, in words beside each."""

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup

from models.card.reliability import depth
from shared.pages.svg import element

_WIDE: Final = 28


def interval_key(dot: str, mark: str = "") -> Markup:
    """A dot on its line, and the stroke it is compared with."""
    line = element("line", x1=0, x2=_WIDE, y1=8, y2=8, class_="c-range")
    items = [(_frame(line, element("circle", cx=_WIDE / 2, cy=8, r=5, class_="k-dot")), dot)]
    if mark:
        items.append((_frame(element("line", x1=7, x2=7, y1=0, y2=16, class_="k-mark"), width=14), mark))
    return _items(items)


def depth_key() -> Markup:
    """From no rating of a row to all of them."""
    cells = [
        element("rect", x=i * 15, y=1, width=14, height=14, class_="k-cell", style=f"--share: {share}")
        for i, share in enumerate((0.05, 0.35, 0.65, 1.0))
    ]
    return _items([(_frame(*cells, width=60), "from none to all of what coaches gave that stage")])


def share_key(stages: Sequence[str]) -> Markup:
    """The depth of each cutpoint: of being at most at that stage."""
    return _items(
        (
            _frame(
                element("circle", cx=7, cy=8, r=6, class_="k-bin", fill_opacity=depth(k, len(stages))),
                width=14,
            ),
            f"at most {name}",
        )
        for k, name in enumerate(stages)
    )


def drift_key() -> Markup:
    """A feature's index, and what chance alone exceeds once in twenty times."""
    dot = element("circle", cx=7, cy=8, r=5, class_="k-dot")
    mark = element("line", x1=7, x2=7, y1=0, y2=16, class_="k-mark")
    chance = "what lessons that did not change exceed once in twenty times"
    return _items([(_frame(dot, width=14), "a feature"), (_frame(mark, width=14), chance)])


def _items(items: Iterable[tuple[Markup, str]]) -> Markup:
    listed = Markup("").join(Markup("<li>{}{}</li>").format(swatch, words) for swatch, words in items)
    return Markup("<ul>{}</ul>").format(listed)


def _frame(*inner: Markup, width: int = _WIDE) -> Markup:
    return element(
        "svg",
        *inner,
        width=width,
        height=16,
        viewBox=f"0 0 {width} 16",
        aria_hidden="true",
        focusable="false",
    )
