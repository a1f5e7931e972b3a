"""Text laid out for a terminal: wrapped paragraphs and aligned tables, as wide as the window allows."""

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

NARROWEST: Final = 60
WIDEST: Final = 100

_GAP: Final = "  "


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
    if width() - lead < min(24, max(len(line[-1]) for line in lines)):
        return "\n".join(paragraph(_GAP.join(line), indent, bullet="- ") for line in lines[1:])
    flush = [head in right.split() for head in heads]
    return "\n".join(part for line in lines for part in _row(line, widths, flush, indent))


def _row(cells: Sequence[str], widths: Sequence[int], flush: Sequence[bool], indent: int) -> Iterator[str]:
    lead = " " * indent
    for cell, size, right in zip(cells, widths, flush, strict=False):
        lead += (cell.rjust(size) if right else cell.ljust(size)) + _GAP
    room = width() - len(lead)
    last = textwrap.wrap(cells[-1], room, break_long_words=False, break_on_hyphens=False) or [""]
    yield (lead + last[0]).rstrip()
    yield from (" " * len(lead) + line for line in last[1:])
