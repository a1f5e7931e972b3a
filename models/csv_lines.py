"""A CSV file as whole lines, a block of bytes at a time, and the careful reading of such a block.

A block may be read by whoever knows a faster way; what is odd in it (quotes, blank lines, a fault) goes
through Python's `csv`, which may need more lines than the block has.
"""

import csv
import difflib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from shared.errors import BadInput, UsageError

Cells = tuple[str, ...]
Progress = Callable[[int], None]

_BYTES_AT_ONCE: Final = 1 << 19
_MARK: Final = b"\xef\xbb\xbf"


class CsvLines:
    """An open file behind its header. `names` are the header's columns."""

    def __init__(
        self, path: Path, file: BinaryIO, required: Cells, optional: Cells, progress: Progress | None
    ) -> None:
        self.path = path
        self._file = file
        self._progress = progress
        self._left = b""
        self._over = False
        self._line = 0
        self._ready = self._read().removeprefix(_MARK)
        self.names = self._header(required, optional)

    def take(self) -> bytes:
        """The next block, which ends with a line, or with the file; empty behind the last one."""
        ready, self._ready = self._ready, b""
        return ready or self._read()

    def passed(self, data: bytes) -> None:
        """A block of lines that end with `\\n` was read elsewhere."""
        self._line += data.count(b"\n")

    def rows(self, data: bytes) -> tuple[list[list[str]], Sequence[int]]:
        """The rows of a block and the line on which each ends; blank lines are left out.

        A row that goes on behind the block is read to its end. Raises BadInput naming the line.
        """
        found, ends, lines = self._parsed(data)
        ragged = next((i for i, row in enumerate(found) if len(row) != len(self.names)), None)
        if ragged is not None:
            fault = f"{len(found[ragged])} cells where the header names {len(self.names)} columns"
            raise BadInput("csv_malformed", f"{self.path}, line {ends[ragged]}: {fault}")
        self._line += lines
        return found, ends

    def _parsed(self, data: bytes) -> tuple[list[list[str]], Sequence[int], int]:
        """Rows that are not blank, the lines on which they end, and how many lines were read."""
        stream = io.StringIO(self._text(data), newline="")
        reader = csv.reader(stream, strict=True)
        try:
            rows = list(reader)
        except csv.Error as error:
            # A fault in the very last line may be a quoted text that goes on in the next block.
            more = b"" if stream.read(1) else self.take()
            if more:
                return self._parsed(data + more)
            where = f"{self.path}, line {self._line + reader.line_num}"
            raise BadInput("csv_malformed", f"{where}: {error}") from None
        ends: Sequence[int] = range(self._line + 1, self._line + 1 + len(rows))
        if reader.line_num != len(rows):
            stream.seek(0)
            again = csv.reader(stream, strict=True)
            ends = [self._line + again.line_num for _ in again]
        if not all(rows):
            ends = [end for end, row in zip(ends, rows, strict=True) if row]
            rows = [row for row in rows if row]
        return rows, ends, reader.line_num

    def _text(self, data: bytes) -> str:
        if b"\0" in data:
            line = self._line + 1 + data.count(b"\n", 0, data.index(b"\0"))
            raise BadInput("csv_malformed", f"{self.path}, line {line}: a byte 0, so this is no text")
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise BadInput("csv_malformed", f"{self.path} is not UTF-8 text: save it as UTF-8") from None

    def _read(self) -> bytes:
        if self._over:
            return b""
        read = self._file.read(_BYTES_AT_ONCE)
        if self._progress:
            self._progress(len(read))
        data = self._left + read
        if len(read) < _BYTES_AT_ONCE:
            self._over = True
            return data
        # Old line ends are a lone \r; the last byte may be the first half of \r\n.
        cut = (data.rfind(b"\n") + 1) or (data.rfind(b"\r", 0, -1) + 1)
        if not cut:
            fault = f"the line is longer than {_BYTES_AT_ONCE} bytes: is this a CSV file?"
            line = self._line + 1
            raise BadInput("csv_malformed", f"{self.path}, line {line}: {fault}")
        self._left = data[cut:]
        return data[:cut]

    def _header(self, required: Cells, optional: Cells) -> Cells:
        stream = io.StringIO(self._text(self._ready), newline="")
        reader = csv.reader(stream, strict=True)
        try:
            names = tuple(next(reader, ()))
        except csv.Error as error:
            raise BadInput("csv_malformed", f"{self.path}, line {reader.line_num}: {error}") from None
        self._line = reader.line_num
        self._ready = stream.read().encode()
        _check_header(self.path, names, required, optional)
        return names


@contextmanager
def csv_lines(
    path: Path, required: Cells, optional: Cells = (), progress: Progress | None = None
) -> Iterator[CsvLines]:
    """The file, open; `progress` is told the bytes read since it was last told.

    Raises UsageError if it cannot be read, BadInput for a header that lacks a required column, or has one
    twice, or one that is neither required nor optional.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the name") from None
    with file:
        yield CsvLines(path, file, required, optional, progress)


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
