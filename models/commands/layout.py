"""Text laid out for a terminal: wrapped paragraphs and aligned tables, as wide as the window allows."""

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

NARROWEST: Final = 60
WIDEST: Final = 100

_GAP: Final = "  "
_LEAST_ROOM: Final = 24  # in which sentences can still be wrapped


def width() -> int:
    """Columns to write in: those of the terminal, within what can be read with ease."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))


def paragraph(text: str, indent: int = 0, bullet: str = "") -> str:
    """One text, wrapped; a bullet stands before its first line and the rest hangs under the words."""
    first = " " * indent + bullet
    return textwrap.fill(
        text,
        width(),
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], indent: int = 2, right: str = "") -> str:
    """Rows under their heads; the last column takes the room that is left and wraps in it.

    Where no such room is left, each row is a paragraph. right: heads of columns that are set flush right.
    """
    lines = [tuple(heads), *(tuple(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads) - 1)]
    lead = indent + sum(size + len(_GAP) for size in widths)
    if width() - lead < min(_LEAST_ROOM, max(len(line[-1]) for line in lines)):
        return "\n".join(paragraph(_GAP.join(line), indent, bullet="- ") for line in lines[1:])
    flush = [head in right.split() for head in heads]
    return "\n".join(part for line in lines for part in _row(line, widths, flush, indent))


def figures(heads: Sequence[str], rows: Iterable[Sequence[str]], indent: int = 2) -> str:
    """Rows of figures under their heads, flush right after the first column.

    A last column of sentences, wider than its head, wraps in what room is left. Where no room is left, each
    row is a paragraph that says the head of every figure.
    """
    lines = [tuple(heads), *(tuple(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    sentences = widths[-1] > len(heads[-1]) and any(" " in line[-1] for line in lines[1:])
    named = (*heads[:-1], "") if sentences else heads
    least = min(_LEAST_ROOM, widths[-1]) if sentences else widths[-1]
    if indent + sum(widths[:-1]) + len(_GAP) * (len(heads) - 1) + least > width():
        return "\n".join(paragraph(_told(named, line), indent, bullet="- ") for line in lines[1:])
    if not sentences:
        lines = [(*line[:-1], line[-1].rjust(widths[-1])) for line in lines]
    flush = [False, *[True] * (len(heads) - 2)]
    return "\n".join(part for line in lines for part in _row(line, widths[:-1], flush, indent))


def _told(heads: Sequence[str], cells: Sequence[str]) -> str:
    told = [f"{head} {cell}".strip() for head, cell in zip(heads[1:], cells[1:], strict=True) if cell]
    return f"{cells[0].strip()}: {', '.join(told)}"


def _row(cells: Sequence[str], widths: Sequence[int], flush: Sequence[bool], indent: int) -> Iterator[str]:
    lead = " " * indent
    for cell, size, right in zip(cells, widths, flush, strict=False):
        lead += (cell.rjust(size) if right else cell.ljust(size)) + _GAP
    room = width() - len(lead)
    last = textwrap.wrap(cells[-1], room, break_long_words=False, break_on_hyphens=False) or [""]
    yield (lead + last[0]).rstrip()
    yield from (" " * len(lead) + line for line in last[1:])
