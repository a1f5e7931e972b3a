"""Columns of a CSV file, checked a block at a time; what is wrong is traced back to its line."""

import csv
import difflib
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final, TextIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput, CommonGroundError, UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Cells = tuple[str, ...]
Progress = Callable[[int], None]
T = TypeVar("T")

_ROWS_AT_ONCE: Final = 1 << 16
_LONGEST: Final = 200
_DIGITS: Final = 18


class WrongCell(Exception):  # noqa: N818 - it names the cell, not the fault
    """What is wrong with one row of a block; `located` turns it into BadInput with the file and line."""

    def __init__(self, row: int, text: str) -> None:
        super().__init__(text)
        self.row = row
        self.text = text


class Columns:
    """A block of rows by column name. `first` is the number of its first row in the file, from 0."""

    def __init__(self, path: Path, names: Cells, rows: list[list[str]], first: int) -> None:
        self.path = path
        self.first = first
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
            where = _where(self.path, self.first + wrong.row)
            raise BadInput("csv_malformed", f"{where}: {wrong.text}") from None

    def filled(self, name: str) -> Cells:
        """The column's texts, none of them blank or overlong."""
        cells = self.cells[name]
        lengths = np.fromiter(map(len, cells), np.int64, len(cells))
        self.require((lengths > 0) & (lengths <= _LONGEST), f"`{name}` must have 1 to {_LONGEST} characters")
        return cells

    def unique(self, name: str) -> None:
        """Every text of the column stands once."""
        seen: set[str] = set()
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
    parts = list(_rows(path, required, optional, None))
    rows = [row for _, _, block in parts for row in block]
    if not rows:
        raise BadInput("csv_empty", f"{path} has a header and no rows")
    return Columns(path, parts[0][0], rows, 0)


def read_blocks(path: Path, required: Cells, progress: Progress | None = None) -> Iterator[Columns]:
    """A file a block of rows at a time; `progress` is told the bytes read since it was last told."""
    for names, first, rows in _rows(path, required, (), progress):
        yield Columns(path, names, rows, first)


def write_columns(path: Path, names: Iterable[str], columns: Iterable[Iterable[str]]) -> None:
    """A CSV file from columns of texts of equal length."""
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows(zip(*columns, strict=True))
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): choose another place") from None


def _rows(
    path: Path, required: Cells, optional: Cells, progress: Progress | None
) -> Iterator[tuple[Cells, int, list[list[str]]]]:
    """Names of the columns, number of the block's first row, its rows; blank lines are left out."""
    with _opened(path) as file:
        reader = csv.reader(file, strict=True)
        try:
            names = tuple(next(reader, ()))
            _check_header(path, names, required, optional)
            first = told = 0
            while block := list(islice(reader, _ROWS_AT_ONCE)):
                rows = [row for row in block if row]
                ragged = next((i for i, row in enumerate(rows) if len(row) != len(names)), None)
                if ragged is not None:
                    fault = f"{len(rows[ragged])} cells where the header names {len(names)} columns"
                    raise BadInput("csv_malformed", f"{_where(path, first + ragged)}: {fault}")
                yield names, first, rows
                first += len(rows)
                if progress:
                    read = file.buffer.tell()
                    progress(read - told)
                    told = read
        except csv.Error as error:
            raise BadInput("csv_malformed", f"{path}, line {reader.line_num}: {error}") from None
        except UnicodeDecodeError:
            raise BadInput("csv_malformed", f"{path} is not UTF-8 text: save it as UTF-8") from None


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        file = path.open(newline="", encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the name") from None
    with file:
        yield file


def _check_header(path: Path, names: Cells, required: Cells, optional: Cells) -> None:
    where = f"{path}, line 1"
    for name in required:
        if name not in names:
            raise BadInput(
                "csv_header", f"{where}: there is no column `{name}`; it has {','.join(names)[:80]!r}"
            )
    for name in names:
        if name not in required and name not in optional:
            near = difflib.get_close_matches(name[:60], (*required, *optional), n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise BadInput("csv_header", f"{where}: unknown column {name[:40]!r}{hint}")
    if len(set(names)) < len(names):
        raise BadInput("csv_header", f"{where}: a column stands twice")


def _where(path: Path, row: int) -> str:
    """The file and the line on which a row (from 0, blank lines left out) ends."""
    if not path.is_file():  # a pipe cannot be read again
        return f"{path}, row {row + 1}"
    with _opened(path) as file:
        reader = csv.reader(file, strict=True)
        lines = islice((reader.line_num for cells in reader if cells), row + 1, None)
        return f"{path}, line {next(lines)}"


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
