"""Columns of a CSV file, checked a block at a time; what is wrong is traced back to its line."""

import csv
import difflib
import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.csv_lines import Cells, Progress, csv_lines
from shared.errors import BadInput, CommonGroundError
from shared.files import replacing_text
from shared.plain import is_plain, plain

__all__ = [
    "LONGEST",
    "Cells",
    "Columns",
    "Floats",
    "Ints",
    "Progress",
    "WrongCell",
    "read_blocks",
    "read_whole",
    "write_columns",
    "write_rows",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
T = TypeVar("T")

LONGEST: Final = 200
_DIGITS: Final = 18
_FORMULA: Final = frozenset("=+-@")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MOST_COMPARED: Final = 2000  # names; looking through more for the nearest one takes seconds


class WrongCell(Exception):  # noqa: N818 - it names the cell, not the fault
    """What is wrong with one row of a block; `located` turns it into BadInput with the file and line."""

    def __init__(self, row: int, text: str) -> None:
        super().__init__(text)
        self.row = row
        self.text = text


class Columns:
    """Rows of a file by column name. `lines` are the numbers of the lines on which they end."""

    def __init__(self, path: Path, names: Cells, rows: list[list[str]], lines: Sequence[int]) -> None:
        self.path = path
        self.lines = lines
        self.rows = len(rows)
        self.cells: dict[str, Cells] = dict(
            zip(names, zip(*rows, strict=True) if rows else ((),) * len(names), strict=True)
        )

    @contextmanager
    def located(self) -> Iterator[None]:
        """Faults of cells found inside the block become BadInput with the file, its line and the fault."""
        try:
            yield
        except WrongCell as wrong:
            where = f"{self.path}, line {self.lines[wrong.row]}"
            raise BadInput("csv_malformed", f"{where}: {wrong.text}") from None

    def filled(self, name: str) -> Cells:
        """The column's texts, none of them blank: names that do no harm wherever they are shown."""
        return self._harmless(name, self._sized(name, 1))

    def optional(self, name: str) -> Cells | None:
        """The column's texts as `filled`, blanks among them; None where the file has no such column."""
        return self._harmless(name, self._sized(name, 0)) if name in self.cells else None

    def tokens(self, name: str) -> Cells:
        """The column's texts, none of them blank, for telling apart and not for showing."""
        cells = self._sized(name, 1)
        if _CONTROL.search("".join(cells)):
            row = next(row for row, cell in enumerate(cells) if _CONTROL.search(cell))
            raise WrongCell(row, f"`{name}` holds a control character: take it out")
        return cells

    def unique(self, name: str, seen: set[str] | None = None) -> Cells:
        """`filled`, every text once, and none among those `seen`, which grow by them."""
        seen = set() if seen is None else seen
        cells = self.filled(name)
        for row, cell in enumerate(cells):
            if cell in seen:
                raise WrongCell(row, f"`{name}` {cell[:40]!r} stands twice: give every row its own")
            seen.add(cell)
        return cells

    def _sized(self, name: str, least: int) -> Cells:
        cells = self.cells[name]
        lengths = np.fromiter(map(len, cells), np.int64, len(cells))
        good = (lengths >= least) & (lengths <= LONGEST)
        self.require(good, f"`{name}` must have {least} to {LONGEST} characters")
        return cells

    def _harmless(self, name: str, cells: Cells) -> Cells:
        """Names go on into terminals, pages and other files, and from those into spreadsheets."""
        if not "".join(cells).isprintable():
            for row, cell in enumerate(cells):
                if not is_plain(cell):
                    fault = "holds a control character, or one that nobody sees: take it out"
                    raise WrongCell(row, f"`{name}` {cell[:40]!r} {fault}")
        if not _FORMULA.isdisjoint({cell[:1] for cell in cells}):
            row = next(row for row, cell in enumerate(cells) if cell[:1] in _FORMULA)
            fault = f"starts with `{cells[row][0]}`, and spreadsheets would run it as a formula: rename it"
            raise WrongCell(row, f"`{name}` {cells[row][:40]!r} {fault}")
        return cells

    def integers(self, name: str, most: int) -> Ints:
        """The column as whole numbers 0 to `most`."""
        cells = self.cells[name]
        text = f"`{name}` must be a whole number from 0 to {most}"
        for row, cell in enumerate(cells) if not _all_digits(cells) else ():
            if not _all_digits((cell,)):
                raise WrongCell(row, text)
        values = np.fromiter(map(int, cells), np.int64, len(cells))
        self.require(values <= most, text)
        return values

    def numbers(self, name: str, blank: float, low: float, high: float) -> Floats:
        """The column as finite numbers from `low` to `high`; a blank becomes `blank`."""
        cells = self.cells[name]
        empty = np.fromiter(map(operator.not_, cells), np.bool_, len(cells))
        values = _floats([cell or "0" for cell in cells])
        values[empty] = blank
        span = f" from {low:g} to {high:g}" if math.isfinite(low + high) else ""
        good = empty | (np.isfinite(values) & (values >= low) & (values <= high))
        self.require(good, f"`{name}` must be a number{span}, or blank")
        return values

    def known(self, name: str, table: Mapping[str, int], text: str) -> Ints:
        """The column's texts looked up in a table; `text` says what is wrong with others."""
        cells = self.cells[name]
        found = list(map(table.get, cells))
        if None in found:
            row = found.index(None)
            names = table if len(table) <= _MOST_COMPARED else ()
            near = difflib.get_close_matches(cells[row][:60], names, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise WrongCell(row, f"`{name}` {cells[row][:40]!r} {text}{hint}")
        return np.array(found, np.int64)

    def each(self, name: str, read: Callable[[str], T]) -> list[T]:
        """Each text of the column through `read`, whose errors name their line."""
        found = []
        for row, cell in enumerate(self.cells[name]):
            try:
                found.append(read(cell))
            except CommonGroundError as error:
                raise WrongCell(row, f"`{name}`: {plain(str(error))}") from None
        return found

    def require(self, good: NDArray[np.bool_], text: str) -> None:
        """All rows are good, or the first that is not is wrong in the way `text` says."""
        if not good.all():
            raise WrongCell(int(np.argmin(good)), text)


def read_whole(path: Path, required: Cells, optional: Cells = ()) -> Columns:
    """A whole file as one block, at least one row of it."""
    rows: list[list[str]] = []
    lines: list[int] = []
    with csv_lines(path, required, optional) as file:
        while data := file.take():
            found, ends = file.rows(data)
            rows += found
            lines += ends
    if not rows:
        raise BadInput("csv_empty", f"{path} has a header and no rows")
    return Columns(path, file.names, rows, lines)


def read_blocks(path: Path, required: Cells, optional: Cells = ()) -> Iterator[Columns]:
    """A file some rows at a time, at least one row of it."""
    some = False
    with csv_lines(path, required, optional) as file:
        while data := file.take():
            rows, ends = file.rows(data)
            if rows:
                some = True
                yield Columns(path, file.names, rows, ends)
    if not some:
        raise BadInput("csv_empty", f"{path} has a header and no rows")


def write_columns(path: Path, names: Iterable[str], columns: Iterable[Iterable[str]]) -> None:
    """A CSV file from columns of texts of equal length."""
    write_rows(path, names, zip(*columns, strict=True))


def write_rows(path: Path, names: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """A CSV file from rows of texts, of which only a few need to be there at a time; the whole of it, or
    nothing and UsageError.
    """
    with replacing_text(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def _all_digits(cells: Cells) -> bool:
    text = "".join(cells)
    plain = text.isascii() and text.isdigit() and all(cells)
    return not cells or (plain and max(map(len, cells)) <= _DIGITS)


def _floats(cells: list[str]) -> Floats:
    """The numbers that stand in the cells, infinity for what is none."""
    text = "".join(cells)
    if text.isascii() and "_" not in text:  # Python would read both as parts of a number
        with suppress(ValueError):
            return np.fromiter(map(float, cells), np.float64, len(cells))
    return np.fromiter(map(_number, cells), np.float64, len(cells))


def _number(cell: str) -> float:
    try:
        return float(cell) if cell.isascii() and "_" not in cell else math.inf
    except ValueError:
        return math.inf
