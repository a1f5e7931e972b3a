"""Names that have to fit: rows' names in several lines, levels' names short where there is no room."""

import re
from collections.abc import Sequence
from textwrap import wrap
from typing import Final

from markupsafe import Markup

from shared.pages.svg import label

LETTER: Final = 7.7  # the width of a letter of 14 pixels, rather too wide
LINE: Final = 17.0
LEFT: Final = 132.0
LEFT_LONG: Final = 220.0

_NUMBERED: Final = re.compile(r"(\d+[a-z]?)\s+\S")


def left_column(names: Sequence[str]) -> float:
    """The room that rows' names need beside a drawing: wider where one does not fit in a line."""
    return LEFT if all(len(name) * LETTER <= LEFT for name in names) else LEFT_LONG


def lines_of(name: str, room: float) -> list[str]:
    """The name in lines of at most so many pixels."""
    return wrap(name, max(1, int(room / LETTER))) or [""]


def most_lines(names: Sequence[str], room: float) -> int:
    """The most lines that any of them takes."""
    return max((len(lines_of(name, room)) for name in names), default=1)


def block(name: str, room: float, x: float, y: float) -> list[Markup]:
    """The name in its lines, the first one's foot at `y`."""
    return [label(line, x, y + i * LINE) for i, line in enumerate(lines_of(name, room))]


def middle(name: str, room: float, x: float, y: float) -> list[Markup]:
    """The name in its lines, their middle at `y`."""
    return block(name, room, x, y + 5 - (len(lines_of(name, room)) - 1) * LINE / 2)


def short(stages: Sequence[str]) -> tuple[str, ...]:
    """A short sign for each level: the number that its name begins with, else its place from 1."""
    found = [_NUMBERED.match(stage) for stage in stages]
    signs = tuple(one[1] for one in found if one)
    if len(signs) == len(stages) == len(set(signs)):
        return signs
    return tuple(str(i + 1) for i in range(len(stages)))


def fits(stages: Sequence[str], pitch: float, turns: int) -> bool:
    """Whether the names have room above columns so far apart, taking turns in so many lines."""
    return all(len(stage) * LETTER <= pitch * turns for stage in stages)


def explained(stages: Sequence[str]) -> list[str]:
    """Each level's sign with its name, as a key says them."""
    signs = short(stages)
    return [
        stage if stage.startswith(f"{sign} ") else f"{sign} {stage}"
        for sign, stage in zip(signs, stages, strict=True)
    ]
