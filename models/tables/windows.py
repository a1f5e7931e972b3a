"""W.csv: the windows that features are computed for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.csv_columns import Cells, read_whole
from models.features.inputs import Windows
from models.features.set1 import sights

MOST_SECONDS: Final = 2**32 - 1
_MOST_DEVICES: Final = 1_000_000
_COLUMNS: Final = ("window", "school", "start", "end", "expected", "sources")


@dataclass(frozen=True, slots=True)
class WindowTable:
    """W.csv: ids and schools of the windows, their classes where the file has them, and the columns."""

    ids: Cells
    school: Cells
    class_: Cells | None
    columns: Windows

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, rows: slice) -> Windows:
        """The columns of some windows."""
        own = self.columns
        return Windows(own.start[rows], own.end[rows], own.kinds[rows], own.expected[rows])


def read_windows(path: Path) -> WindowTable:
    """W.csv: `window,school[,class],start,end,expected,sources`, epoch seconds, kinds separated by `;`."""
    table = read_whole(path, _COLUMNS, ("class",))
    with table.located():
        ids, school, class_ = table.unique("window"), table.filled("school"), table.optional("class")
        start, end = table.integers("start", MOST_SECONDS), table.integers("end", MOST_SECONDS)
        table.require(start < end, "`end` must come after `start`")
        columns = Windows(
            start=start,
            end=end,
            kinds=table.each("sources", _kinds),
            expected=table.integers("expected", _MOST_DEVICES),
        )
    return WindowTable(ids, school, class_, columns)


def _kinds(text: str) -> frozenset[str]:
    kinds = frozenset(filter(None, (kind.strip() for kind in text.split(";"))))
    sights(kinds)
    return kinds
