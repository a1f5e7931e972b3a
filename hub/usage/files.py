"""The files of an export: which there are, what each is, and the two tables around the districts."""

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from hub.usage.rows import Fault, NotUsed, Use, fields, order_of, read_row
from shared.errors import BadInput, UsageError
from shared.exports import MAX_LINE

_PRODUCTS: Final = "lp id"
_DISTRICTS: Final = "district_id"
_LINE_BYTES: Final = 64 * 1024
_MISSING: Final = frozenset(("", "nan", "na"))
_DISTRICT_ID: Final = re.compile(r"[0-9]{1,9}")


@dataclass(slots=True)
class Table:
    """Rows of a table by their id, and what was left out."""

    rows: dict[str, dict[str, str | None]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)


def find(
    paths: Sequence[Path], named: str = "a folder with products_info.csv and engagement_data/"
) -> list[Path]:
    """Every CSV file of the paths (folders: their own and those of `engagement_data`), each once.

    Raises UsageError for a path that does not exist, and when there is no CSV file at all: `named` says what
    to name instead.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update(dict.fromkeys((*sorted(path.glob("*.csv")), *sorted(path.glob("*/*.csv")))))
        elif path.exists():
            found[path] = None
        else:
            raise UsageError(f"{path} does not exist: name a folder of an export, or its CSV files")
    if not found:
        raise UsageError(f"no CSV file there: name {named}")
    return list(found)


def name_of(path: Path) -> str:
    """A file's name as text that a store takes and a terminal shows, whatever bytes it is made of."""
    name = os.fsencode(path.name).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)


def kind_of(path: Path) -> str:
    """`products`, `districts` or `engagement`, by the header; raises BadInput when it is none of them."""
    header = _header(path)
    names = {name.strip().lower() for name in next(csv.reader((header,)), [])}
    if order_of(header) is not None:
        return "engagement"
    if _PRODUCTS in names:
        return "products"
    if _DISTRICTS in names:
        return "districts"
    raise BadInput("wrong_columns" if header.strip() else "empty_file", path.name)


def table(path: Path, kind: str) -> Table:
    """The rows of a products or districts file by id; a blank or repeated id is counted and left out.

    Raises OSError and csv.Error for a file that is no table after all.
    """
    read = Table()
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.DictReader(file, restval="")
        ids = [name for name in rows.fieldnames or () if name.strip().lower() in (_PRODUCTS, _DISTRICTS)]
        if not ids:
            raise csv.Error("the header has no id")
        for row in rows:
            row_id = (row.pop(ids[0]) or "").strip().removesuffix(".0")
            if row_id.lower() in _MISSING:
                read.faults[f"{kind}_blank_id"] += 1
            elif row_id in read.rows:
                read.faults[f"{kind}_repeated_id"] += 1
            else:
                read.rows[row_id] = {k.strip(): _value(v) for k, v in row.items() if isinstance(k, str)}
    return read


def district_id(path: Path) -> str:
    """The district that an engagement file is named for; raises BadInput when it is no number."""
    if not _DISTRICT_ID.fullmatch(path.stem):
        raise BadInput("bad_file_name", "an engagement file is named for its district's number")
    return path.stem


def engagement(path: Path, products: Mapping[str, object], last: date) -> Iterator[Use | NotUsed | Fault]:
    """What every line of an engagement file says, of days up to `last`; blank lines are no rows."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = file.readline(MAX_LINE)
        order = order_of(header)
        if order is None:
            raise BadInput("wrong_columns", path.name)
        width = len(fields(header))
        while line := file.readline(MAX_LINE):
            if len(line) == MAX_LINE and not line.endswith("\n"):
                while (rest := file.readline(MAX_LINE)) and not rest.endswith("\n"):
                    pass
                yield Fault.LINE_TOO_LONG
            elif line.strip():
                yield read_row(line, width, order, products, last)


def _header(path: Path) -> str:
    try:
        with path.open("rb") as file:
            lines = file.readline(_LINE_BYTES).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise BadInput("unreadable_file", path.name) from None
    return lines[0] if lines else ""


def _value(text: str | None) -> str | None:
    text = (text or "").strip()
    return None if text.lower() in _MISSING else text
