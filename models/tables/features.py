"""F.csv: one row of features for each window."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from models.csv_columns import Cells, Columns, Floats, Ints, read_blocks, write_rows
from models.features.set1 import EVIDENCE, FEATURES
from models.tables.texts import blocks, number_texts
from models.tables.windows import MOST_SECONDS, WindowTable
from shared.errors import BadInput

MOST: Final = 1e9  # far beyond any lesson; what is larger would drown everything else in sums of squares


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """F.csv: x is float64 [n, 24] in the order of set 1, NaN where blank; start in epoch seconds."""

    ids: Cells
    school: Cells
    class_: Cells | None
    start: Ints | None
    x: Floats


def read_features(path: Path) -> FeatureTable:
    """F.csv: `window,school[,class][,start]` and the 24 features of set 1, none beyond `MOST`."""
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
        ids, school = table.unique("window", seen), table.filled("school")
        x = np.empty((table.rows, len(FEATURES)))
        for i, name in enumerate(FEATURES):
            x[:, i] = table.numbers(name, math.nan, 0.0 if i == EVIDENCE else -MOST, MOST)
        start = table.integers("start", MOST_SECONDS) if "start" in table.cells else None
        class_ = table.optional("class")
    return FeatureTable(ids, school, class_, start, x)


def write_features(path: Path, windows: WindowTable, x: Floats) -> None:
    """F.csv of the windows in their order; `class` and `start` follow `school` where windows have classes.

    Raises BadInput for a number that `read_features` would refuse.
    """
    classes = () if windows.class_ is None else ("class", "start")

    def rows() -> Iterator[tuple[str, ...]]:
        for part in blocks(len(windows)):
            _check_bounds(windows.ids[part], x[part])
            named = [windows.ids[part], windows.school[part]]
            if windows.class_ is not None:
                named += [windows.class_[part], tuple(map(str, windows.columns.start[part].tolist()))]
            yield from zip(*named, *(number_texts(x[part, i]) for i in range(len(FEATURES))), strict=True)

    write_rows(path, ("window", "school", *classes, *FEATURES), rows())


def _check_bounds(ids: Cells, x: Floats) -> None:
    for row, i in np.argwhere(np.abs(x) > MOST)[:1].tolist():
        fault = f"`{FEATURES[i]}` would be {x[row, i]:.3g}, beyond any lesson: look at its signals"
        raise BadInput("feature_beyond", f"window {ids[row][:40]!r}: {fault}")
