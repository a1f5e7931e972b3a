"""A TOML file with the line of everything in it, read with care: it may be anybody's."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models.integration.locate import DEEPEST, Place, TooDeep, lines_of, nearest_line
from shared.plain import plain

MOST_BYTES: Final = 262_144

_WHERE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake in a file, and the line (from 1) where it is to be mended."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return plain(f"{self.file}:{self.line}: {self.text}")


@dataclass(frozen=True, slots=True)
class TomlFile:
    """What a file says, and where."""

    path: Path
    table: dict[str, Any]
    lines: dict[Place, int]

    def finding(self, place: Place, text: str) -> Finding:
        """A mistake at a place in the file, or, where that is missing, in the table around it."""
        return Finding(str(self.path), nearest_line(self.lines, place), text)


def read_toml(path: Path) -> TomlFile | Finding:
    """The file, or the one reason why it cannot be read: absent, too big, not UTF-8, not TOML, too deep."""
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        return Finding(name, 1, f"cannot be read: {error.strerror}")
    if len(data) > MOST_BYTES:
        return Finding(name, 1, f"is larger than {MOST_BYTES // 1024} KiB: a model is a few pages of text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Finding(name, data.count(b"\n", 0, error.start) + 1, "not UTF-8 text: save the file as UTF-8")
    try:
        lines = lines_of(text)
        return TomlFile(path, tomllib.loads(text), lines)
    except TooDeep as error:
        return Finding(name, error.line, f"keys or lists lie more than {DEEPEST} deep in one another")
    except tomllib.TOMLDecodeError as error:
        return _not_toml(name, text, str(error))
    except (ValueError, RecursionError):
        return Finding(name, 1, "not usable TOML: a number has too many digits, or lists lie too deep")


def _not_toml(name: str, text: str, error: str) -> Finding:
    where = _WHERE.search(error)
    last = text.count("\n", 0, len(text.rstrip())) + 1
    line = int(where[1]) if where and where[1] else last if where else 1
    column = f", column {where[2]}" if where and where[2] else ""
    return Finding(name, line, f"not valid TOML{column}: {_WHERE.sub('', error)[:200]}")
