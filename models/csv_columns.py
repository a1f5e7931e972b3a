"""Columns of a CSV file, checked a block at a time; what is wrong is traced back to its line."""

import csv
import difflib
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.csv_lines import Cells, Progress, csv_lines
from shared.errors import BadInput, CommonGroundError, UsageError

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
        """The column's texts, none of them blank or overlong."""
        cells = self.cells[name]
        lengths = np.fromiter(map(len, cells), np.int64, len(cells))
        self.require((lengths > 0) & (lengths <= LONGEST), f"`{name}` must have 1 to {LONGEST} characters")
        return cells

    def unique(self, name: str, seen: set[str] | None = None) -> None:
        """Every text of the column stands once, and none is among those `seen`, which grow by them."""
        seen = set() if seen is None else seen
        for row, cell in enumerate(self.filled(name)):
            if cell in seen:
                raise WrongCell(row, f"`{name}` {cell[:40]!r} stands twice: give every row its own")
            seen.add(cell)

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
            near = difflib.get_close_matches(cells[row][:60], table, n=1)
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
                raise WrongCell(row, f"`{name}`: {error}") from None
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
    """A CSV file from rows of texts, of which only a few need to be there at a time."""
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows(rows)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): choose another place") from None


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
