"""The blind spot: of 100 expected device-minutes, how many the sources could see."""

from typing import Final, Literal

from markupsafe import Markup

from shared.pages.svg import drawing, element, hatching

Size = Literal["wide", "narrow"]

_ACROSS: Final = {"wide": 25, "narrow": 10}
_CELL: Final = {"wide": 28.0, "narrow": 34.0}


def of_hundred(seen: float) -> int:
    """Whole minutes of 100; what is neither none nor all never reads as none or all."""
    whole = round(seen * 100)
    if 0 < seen < 1:
        return min(99, max(1, whole))
    return whole


def blind_spot(uid: str, seen: float, size: Size = "wide") -> Markup:
    """A hundred squares, one a minute: filled where seen, hatched where not."""
    across, pitch = _ACROSS[size], _CELL[size]
    minutes = of_hundred(seen)
    parts = [hatching(uid, "c-unseen-line")]
    for i in range(100):
        x, y = (i % across) * pitch, (i // across) * pitch
        box = {"x": x + 0.5, "y": y + 0.5, "width": pitch - 5, "height": pitch - 5, "rx": 2}
        if i < minutes:
            parts.append(element("rect", class_="c-accent", **box))
        else:
            parts.append(element("rect", class_="c-unseen", fill=f"url(#{uid}-hatch)", **box))
    width, height = across * pitch, 100 / across * pitch
    text = f"Of 100 expected device-minutes, {minutes} could be seen and {100 - minutes} could not."
    return drawing(uid, width, height, "Device-minutes seen, of 100 expected", text, parts, f"blind {size}")
