"""F.csv: one row of features for each window."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.csv_columns import Cells, Columns, Floats, Ints, read_blocks, write_rows
from models.features.set1 import EVIDENCE, FEATURES
from models.tables.texts import blocks, number_texts
from models.tables.windows import MOST_SECONDS, WindowTable


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """F.csv: x is float64 [n, 24] in the order of set 1, NaN where blank; start in epoch seconds."""

    ids: Cells
    school: Cells
    class_: Cells | None
    start: Ints | None
    x: Floats


def read_features(path: Path) -> FeatureTable:
    """F.csv: `window,school[,class][,start]` and the 24 features of set 1."""
    seen: set[str] = set()
    parts = [
        _part(table, seen) for table in read_blocks(path, ("window", "school", *FEATURES), ("class", "start"))
    ]
    named: dict[str, Callable[[FeatureTable], Cells | None]] = {
        "ids": lambda part: part.ids,
        "school": lambda part: part.school,
        "class": lambda part: part.class_,
    }
    texts = {
        name: tuple(cell for part in parts for cell in column(part) or ()) for name, column in named.items()
    }
    starts = [part.start for part in parts if part.start is not None]
    return FeatureTable(
        ids=texts["ids"],
        school=texts["school"],
        class_=texts["class"] if parts[0].class_ is not None else None,
        start=np.concatenate(starts) if starts else None,
        x=np.concatenate([part.x for part in parts]),
    )


def _part(table: Columns, seen: set[str]) -> FeatureTable:
    with table.located():
        table.unique("window", seen)
        x = np.empty((table.rows, len(FEATURES)))
        for i, name in enumerate(FEATURES):
            x[:, i] = table.numbers(name, math.nan, -math.inf, math.inf)
        table.require(~(x[:, EVIDENCE] < 0), "`evidence` must not be negative")
        start = table.integers("start", MOST_SECONDS) if "start" in table.cells else None
        ids, school = table.filled("window"), table.filled("school")
    return FeatureTable(ids, school, table.cells.get("class"), start, x)


def write_features(path: Path, windows: WindowTable, x: Floats) -> None:
    """F.csv of the windows in their order; `class` and `start` follow `school` where windows have classes."""
    classes = () if windows.class_ is None else ("class", "start")

    def rows() -> Iterator[tuple[str, ...]]:
        for part in blocks(len(windows)):
            named = [windows.ids[part], windows.school[part]]
            if windows.class_ is not None:
                named += [windows.class_[part], tuple(map(str, windows.columns.start[part].tolist()))]
            yield from zip(*named, *(number_texts(x[part, i]) for i in range(len(FEATURES))), strict=True)

    write_rows(path, ("window", "school", *classes, *FEATURES), rows())
