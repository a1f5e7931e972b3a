"""The soak's samples as one SVG of small panels, drawn without a library."""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from benchmarks.soak.judge import DAY_MINUTES, SERIES, STEADY_MINUTES
from benchmarks.soak.watch import Sample

_WIDTH: Final = 460
_HEIGHT: Final = 150
_LEFT: Final = 52
_TOP: Final = 26
_BOTTOM: Final = 22
_RIGHT: Final = 12
_STYLE: Final = """
text { font: 11px system-ui, sans-serif; fill: #333 } .title { font-weight: 600; font-size: 12px }
.axis { stroke: #999; fill: none } .grid { stroke: #e4e4e4 } .night { stroke: #c9d6ea; stroke-dasharray: 2 3 }
.line { stroke: #1d5fa8; fill: none; stroke-width: 1.3 } .settling { fill: #f4f1ea }
"""

_PANELS: Final[tuple[tuple[str, Callable[[Sample], float]], ...]] = (
    *((f"{series.title}, {series.unit}", series.of) for series in SERIES),
    ("agent: database, MiB", lambda s: s.agent_file),
    ("hub: database, MiB", lambda s: s.hub_file),
)


def draw(samples: Sequence[Sample]) -> str:
    """Two columns of panels, one x axis of real minutes; a dotted line at each simulated midnight."""
    rows = -(-len(_PANELS) // 2)
    panels = [
        f'<g transform="translate({(number % 2) * _WIDTH},{(number // 2) * _HEIGHT})">'
        f"{_panel(title, [(s.minute, of(s)) for s in samples])}</g>"
        for number, (title, of) in enumerate(_PANELS)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * _WIDTH} {rows * _HEIGHT}" role="img" '
        f'aria-label="What an agent and a hub used over the soak, by minute"><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(panels)}</svg>\n'
    )


def _panel(title: str, points: Sequence[tuple[float, float]]) -> str:
    seen = [value for _, value in points if not math.isnan(value)]
    end = max((minute for minute, _ in points), default=1.0)
    top = _round_up(max(seen, default=1.0))

    def x(minute: float) -> float:
        return _LEFT + minute / end * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)

    floor, ceiling = y(0), y(top)
    parts = [f'<text class="title" x="{_LEFT}" y="16">{escape(title)}</text>']
    if end > STEADY_MINUTES:
        width = x(STEADY_MINUTES) - _LEFT
        parts.append(
            f'<rect class="settling" x="{_LEFT}" y="{ceiling:.1f}" width="{width:.1f}"'
            f' height="{floor - ceiling:.1f}"/>'
        )
    for share in (0.5, 1.0):
        at = y(share * top)
        parts.append(f'<path class="grid" d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{share * top:g}</text>')
    for night in range(1, int(end / DAY_MINUTES) + 1):
        at = x(night * DAY_MINUTES)
        parts.append(f'<path class="night" d="M{at:.1f} {ceiling:.1f}V{floor:.1f}"/>')
    parts.append(f'<path class="line" d="{_path([(x(m), y(v)) for m, v in points if not math.isnan(v)])}"/>')
    parts.append(f'<path class="axis" d="M{_LEFT} {ceiling:.1f}V{floor:.1f}H{_WIDTH - _RIGHT}"/>')
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 7}">0</text>')
    parts.append(f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 7}" text-anchor="end">{end:.0f} min</text>')
    return "".join(parts)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if number else 'M'}{a:.1f} {b:.1f}" for number, (a, b) in enumerate(points))


def _round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value))
