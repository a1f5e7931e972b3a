"""CSV files that others made: read whole, headers checked, bad rows refused one by one and counted."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge_agent.identity.table_text import read_bytes, text_of
from shared.errors import SettingsError
from shared.scrub import shape

MAX_LINE: Final = 65_536
MAX_LINES_A_ROW: Final = 16  # of a quoted text that holds line ends
_SEPARATORS: Final = ",;\t"
_NAME: Final = re.compile(r"[\s_\-]+")


@dataclass(slots=True)
class Refused:
    """Rows that could not be used: file name, line and reason; the content stays out, only its shape."""

    rows: list[tuple[str, int, str, str]] = field(default_factory=list)

    def add(self, file: Path, line: int, reason: str, text: str) -> None:
        """Remember one row by its shape."""
        self.rows.append((file.name, line, reason, shape(text)))

    def counts(self) -> dict[str, int]:
        """How many by `file: reason`."""
        counted: dict[str, int] = {}
        for name, _, reason, _ in self.rows:
            key = f"{name}: {reason}"
            counted[key] = counted.get(key, 0) + 1
        return counted


def rows(
    path: Path, needed: Sequence[str], refused: Refused, optional: Sequence[str] | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and row of a CSV file, as `parse` gives them.

    Raises SettingsError if the file is missing, too large, not text, or lacks a needed column.
    """
    yield from parse(path, text_of(path, read_bytes(path)), needed, refused, optional)


def parse(
    path: Path,
    text: str,
    needed: Sequence[str],
    refused: Refused,
    optional: Sequence[str] | None = None,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and row of CSV text, values stripped; short, overlong and unreadable rows are refused.

    Separated by commas, semicolons or tabs. Columns are found in any order and case. A row holds the `needed`
    columns and the `optional` ones, those that are missing as ""; everything else is not kept, but with
    `optional` None a row holds all there is. `text` is as `text_of` has it.

    Raises SettingsError if it lacks a needed column.
    """
    lines = text.split("\n")
    separator = _separator(lines[0], needed)
    header = _names(lines[0], separator)
    places = _places(path, header, needed, optional)
    least = 1 + max((places[name] for name in needed), default=0)
    for line, cells in _cells(path, lines, separator, refused):
        if not any(cells):
            continue
        if len(cells) < least or any(cells[len(header) :]):
            refused.add(path, line, "wrong number of columns", separator.join(cells))
            continue
        row = {name: cells[at].strip() if at < len(cells) else "" for name, at in places.items()}
        for name in optional or ():
            row.setdefault(name, "")
        yield line, row


def _separator(header: str, needed: Sequence[str]) -> str:
    """The separator under which most of the needed columns are there."""
    wanted = {folded(name) for name in needed}

    def found(separator: str) -> int:
        return len(wanted & {folded(name.strip(' "')) for name in header.split(separator)})

    return max(_SEPARATORS, key=found)


def column_names(text: str) -> list[str]:
    """The names of the columns, whatever separates them."""
    line = text.partition("\n")[0]
    return max((_names(line, separator) for separator in _SEPARATORS), key=len)


def _names(header: str, separator: str) -> list[str]:
    if len(header) > MAX_LINE:
        return []
    return [name.strip() for name in next(csv.reader([header], delimiter=separator), [])]


def folded(name: str) -> str:
    """A column's or schedule's name without what people write differently: case, blanks, dashes."""
    return _NAME.sub("", name).lower()


def _places(
    path: Path, header: Sequence[str], needed: Sequence[str], optional: Sequence[str] | None
) -> dict[str, int]:
    known: dict[str, int] = {}
    for at, name in enumerate(header):
        known.setdefault(folded(name), at)
    missing = [name for name in needed if folded(name) not in known]
    if missing:
        raise SettingsError(f"{path} has no column `{missing[0]}`: export it with {', '.join(needed)}")
    places = {name: known[folded(name)] for name in (*needed, *(optional or ())) if folded(name) in known}
    if optional is None:
        taken = set(places.values())
        places |= {name: at for at, name in enumerate(header) if name and at not in taken}
    return places


def _cells(
    path: Path, lines: Sequence[str], separator: str, refused: Refused
) -> Iterator[tuple[int, list[str]]]:
    at = 1
    while at < len(lines):
        line = lines[at]
        fault = None if line.isprintable() else _fault(line)
        if len(line) > MAX_LINE or fault:
            refused.add(path, at + 1, fault or "line too long", line)
            at += 1
        elif '"' not in line:
            at += 1
            if line:
                yield at, line.split(separator)
        else:
            cells, used = _quoted(lines, at, separator)
            at += used
            if cells is None:
                refused.add(path, at, "a quotation mark that is not closed", line)
            else:
                yield at, cells


def _fault(line: str) -> str | None:
    if any("\ud800" <= sign <= "\udfff" for sign in line):
        return "not UTF-8"
    return "control characters" if any(sign < " " and sign != "\t" for sign in line) else None


def _quoted(lines: Sequence[str], at: int, separator: str) -> tuple[list[str] | None, int]:
    """The cells of a row with quotation marks and how many lines it has; None where one is never closed."""
    following = (f"{line}\n" for line in lines[at : at + MAX_LINES_A_ROW])
    escape = "\\" if '\\"' in lines[at] else None
    reader = csv.reader(following, delimiter=separator, escapechar=escape, strict=True)
    try:
        cells = next(reader)
    except csv.Error:
        return None, 1
    if any(len(cell) > MAX_LINE or not (cell.isprintable() or _fault(cell) is None) for cell in cells):
        return None, 1
    return cells, reader.line_num
