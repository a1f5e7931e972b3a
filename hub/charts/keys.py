"""The keys of the drawings: what each colour, line and hatching means, in words beside a swatch."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from markupsafe import Markup

from hub.charts.lettering import explained
from shared.pages.svg import element, hatching
from shared.words import CHANNELS

CHANNEL_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "consume": "reading, watching, listening",
        "practise": "practising",
        "create": "making",
        "collaborate": "working together",
        "publish": "showing work to others",
        "reflect": "looking back",
        "plan": "planning",
        "other": "other, or not known",
    }
)


def channel_key(uid: str, channels: Iterable[str] = CHANNELS, *, unseen: bool = False) -> Markup:
    """Swatches for the channels given, in the order of the stack, and for what left no trace on top."""
    items = [(_swatch(class_=f"ch-{channel}"), CHANNEL_WORDS[channel]) for channel in channels]
    if unseen:
        items.append((_hatched(f"{uid}-key", "c-unseen-line", "c-unseen"), "no trace of an app"))
    return _items(items)


def matrix_key(
    uid: str,
    *,
    calibrated: bool,
    outlined: bool,
    spread: bool,
    missing: bool,
    seen: bool,
    banded: bool = False,
    signs: Sequence[str] = (),
) -> Markup:
    """What the matrix's depth, hatching, outlines and bars mean; only what is drawn is named.

    `signs` are the levels' names where their columns carry short signs alone.
    """
    swatch = element("rect", width=48, height=14, rx=4, class_="c-cell", fill_opacity=0.6)
    items = [(Markup(), words) for words in explained(signs)]
    items.append(
        (_frame(swatch, 48), "somewhere in here") if banded else (_ramp(), "from unlikely to likely")
    )
    if not calibrated:
        items.append((_hatched(f"{uid}-key", "c-hatch-line", "c-cell"), "inferred, not calibrated"))
    if outlined:
        items.append((_box("c-set"), "the levels it may be"))
    if missing:
        items.append((_box("c-missing"), "not enough evidence yet"))
    if spread:
        line = element("line", x1=0, x2=20, y1=7, y2=7, class_="c-range")
        items.append((_frame(line, 20), "from the smallest to the largest share of any school"))
    if seen:
        bar = element("rect", x=4, y=0, width=6, height=14, class_="c-bar")
        items.append((_frame(bar), "device-time that could be seen"))
    return _items(items)


def seen_key(uid: str) -> Markup:
    """The two swatches of the blind spot."""
    return _items(
        [
            (_swatch(class_="c-accent"), "seen"),
            (_hatched(f"{uid}-key", "c-unseen-line", "c-unseen"), "not seen"),
        ]
    )


def _items(items: Iterable[tuple[Markup, str]]) -> Markup:
    listed = Markup("").join(Markup("<li>{}{}</li>").format(swatch, words) for swatch, words in items)
    return Markup("<ul>{}</ul>").format(listed)


def _frame(inner: Markup, width: int = 14) -> Markup:
    return element(
        "svg", inner, width=width, height=14, viewBox=f"0 0 {width} 14", aria_hidden="true", focusable="false"
    )


def _swatch(class_: str) -> Markup:
    return _frame(element("rect", width=14, height=14, class_=class_))


def _box(class_: str) -> Markup:
    return _frame(element("rect", x=1, y=1, width=12, height=12, class_=class_))


def _hatched(uid: str, line: str, under: str) -> Markup:
    back = element("rect", x=0.5, y=0.5, width=13, height=13, class_=under, **_under(under))
    front = element("rect", x=0.5, y=0.5, width=13, height=13, fill=f"url(#{uid}-hatch)")
    return _frame(Markup("").join((hatching(uid, line, 5), back, front)))


def _under(class_: str) -> dict[str, str | float]:
    return {"fill_opacity": 0.6} if class_ == "c-cell" else {"fill": "none"}


def _ramp() -> Markup:
    steps = (0.08, 0.3, 0.55, 0.8)
    cells = [
        element("rect", x=i * 12, y=0, width=11, height=14, class_="c-cell", fill_opacity=value)
        for i, value in enumerate(steps)
    ]
    return _frame(Markup("").join(cells), 48)
