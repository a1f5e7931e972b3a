"""CSV files that others made: read whole, headers checked, bad rows refused one by one and counted."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from shared.errors import SettingsError
from shared.scrub import shape

MAX_MIB = 64


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


def rows(path: Path, needed: tuple[str, ...], refused: Refused) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and row of a CSV file, values stripped; short or overlong rows are refused.

    Raises SettingsError if the file is missing, too large, not UTF-8, or lacks a needed column.
    """
    try:
        if path.stat().st_size > MAX_MIB * 1024 * 1024:
            raise SettingsError(f"{path} is larger than {MAX_MIB} MiB: export only this school")
        file = path.open(newline="", encoding="utf-8-sig", errors="strict")
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing: export it, or correct its path in agent.toml") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    with file:
        try:
            yield from _rows(path, csv.DictReader(file, restkey="", restval=None), needed, refused)
        except UnicodeDecodeError:
            raise SettingsError(f"{path} is not UTF-8: export it again as UTF-8") from None
        except csv.Error as error:
            raise SettingsError(f"{path} is no readable CSV: {error}") from None


def _rows(
    path: Path, reader: "csv.DictReader[str]", needed: tuple[str, ...], refused: Refused
) -> Iterator[tuple[int, dict[str, str]]]:
    missing = [name for name in needed if name not in (reader.fieldnames or ())]
    if missing:
        raise SettingsError(f"{path} has no column `{missing[0]}`: export it with {', '.join(needed)}")
    for row in reader:
        if "" in row or any(row[name] is None for name in needed):
            text = ",".join(str(value) for value in row.values())
            refused.add(path, reader.line_num, "wrong number of columns", text)
            continue
        yield reader.line_num, {key: (value or "").strip() for key, value in row.items()}
