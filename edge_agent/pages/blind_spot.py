"""The blind spot as a figure: of 100 expected device-minutes, how many were seen, bypassed, or unseen."""

from collections.abc import Sequence
from typing import Final, Literal

from markupsafe import Markup

from edge_agent.pages.shape import BlindSpot
from edge_agent.sight.blind_spot import hundred, sentence
from shared.pages.figure import Figure, Table
from shared.pages.svg import drawing, element, hatching

Size = Literal["wide", "narrow"]

_ACROSS: Final = {"wide": 25, "narrow": 10}
_CELL: Final = {"wide": 28.0, "narrow": 34.0}
LIMITS: Final = (
    "An iPad counts as seen from ten minutes before it is first heard to ten minutes after it is last heard."
    " Bypassed: it has an address here, or asked for a resolver elsewhere, and was never heard; that is no"
    " sign that nothing was done. Leases that only a collector on another machine sees do not help to tell."
    " All lessons are in it, by their device-minutes; what leaves is the mean of the week’s lessons, which"
    " may be a few more or fewer."
)


def blind_spot_figure(sight: BlindSpot) -> Figure:
    """The newest week that has lessons."""
    parts = hundred(sight.seen_minutes, sight.bypassed_minutes, sight.expected_minutes)
    return Figure(
        name="blind-spot",
        says=sentence(sight.seen_minutes, sight.bypassed_minutes, sight.expected_minutes),
        wide=_squares("blind-spot-wide", parts, "wide"),
        narrow=_squares("blind-spot-narrow", parts, "narrow"),
        limits=LIMITS,
        table=Table(
            columns=(("Of the expected device-minutes", "text"), ("Device-minutes", "count")),
            rows=(
                ("Seen", sight.seen_minutes),
                ("Bypassed", sight.bypassed_minutes),
                ("Unseen", sight.unseen_minutes),
            ),
        ),
        key=_key(),
    )


def _squares(uid: str, parts: Sequence[int], size: Size) -> Markup:
    across, pitch = _ACROSS[size], _CELL[size]
    seen, bypassed, unseen = parts
    drawn = [hatching(uid, "c-unseen-line")]
    for i in range(100):
        x, y = (i % across) * pitch, (i // across) * pitch
        drawn.append(_square(uid, "seen" if i < seen else "bypassed" if i < seen + bypassed else "unseen",
                             x + 1, y + 1, pitch - 6))  # fmt: skip
    text = f"Of 100 expected device-minutes, {seen} were seen, {bypassed} bypassed, {unseen} were unseen."
    title = "Device-minutes seen, of 100 expected"
    return drawing(uid, across * pitch, 100 / across * pitch, title, text, drawn, f"blind {size}")


def _square(uid: str, what: str, x: float, y: float, side: float) -> Markup:
    box = {"x": x, "y": y, "width": side, "height": side, "rx": 2}
    if what == "seen":
        return element("rect", class_="c-accent", **box)
    if what == "bypassed":
        return element("rect", class_="c-set", **box)
    return element("rect", class_="c-unseen", fill=f"url(#{uid}-hatch)", **box)


def _key() -> Markup:
    items = Markup("").join(
        Markup("<li>{}{}</li>").format(
            element(
                *("svg", hatching(f"key-{what}", "c-unseen-line"), _square(f"key-{what}", what, 1, 1, 12)),
                width=14,
                height=14,
                viewBox="0 0 14 14",
                aria_hidden="true",
                focusable="false",
            ),
            what,
        )
        for what in ("seen", "bypassed", "unseen")
    )
    return Markup("<ul>{}</ul>").format(items)
