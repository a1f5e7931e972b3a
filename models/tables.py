"""The core's tables as CSV files, for people and tests: signals, windows, features, placements.

Numbers are written so that reading them again loses nothing; a missing number is a blank. Whatever is wrong
with a file raises BadInput with one line: file, line, what to do.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.csv_columns import (
    Cells,
    Floats,
    Ints,
    Progress,
    WrongCell,
    read_blocks,
    read_whole,
    write_columns,
)
from models.features.inputs import Signals, Windows
from models.features.set1 import EVIDENCE, FEATURES, sights
from models.scoring.scorer import Scored
from shared.signals import MAX_AMOUNT
from shared.words import ACTION_NAMES

_MOST_SECONDS: Final = 2**32 - 1
_MOST_DEVICES: Final = 1_000_000
_LEAST_AMOUNT: Final = 1e-9

_SIGNAL_COLUMNS: Final = ("window", "t", "device", "app", "action", "amount")
_WINDOW_COLUMNS: Final = ("window", "school", "start", "end", "expected", "sources")
_VERDICTS: Final = ("placed", "thin", "evidence_only")


@dataclass(frozen=True, slots=True)
class WindowTable:
    """W.csv: ids and schools of the windows, their classes where the file has them, and the columns."""

    ids: Cells
    school: Cells
    class_: Cells | None
    columns: Windows

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """F.csv: x is float64 [n, 24] in the order of set 1, NaN where blank; start in epoch seconds."""

    ids: Cells
    school: Cells
    class_: Cells | None
    start: Ints | None
    x: Floats


@dataclass(frozen=True, slots=True)
class PlacementTable:
    """P.csv, one row for each window and dimension [n]. probs: [n, K], NaN past a dimension's last stage;
    low and high: inclusive, -1 where there is no set; evidence: device-minutes, NaN where missing.
    """

    window: Cells
    model: Cells
    dimension: Cells
    probs: Floats
    low: Ints
    high: Ints
    evidence: Floats
    verdict: Cells

    @classmethod
    def of(cls, ids: Cells, x: NDArray[Any], scored: Scored) -> "PlacementTable":
        """The placements of windows [n] with feature rows x [n, 24], window by window."""
        n, dimensions = scored.score.shape
        rows = n * dimensions
        return cls(
            window=tuple(name for name in ids for _ in range(dimensions)),
            model=(scored.model,) * rows,
            dimension=scored.dimensions * n,
            probs=scored.probs.reshape(rows, -1),
            low=scored.low.reshape(rows),
            high=scored.high.reshape(rows),
            evidence=np.repeat(x[:, EVIDENCE], dimensions),
            verdict=tuple(verdict for row in scored.verdicts for verdict in row),
        )


def read_windows(path: Path) -> WindowTable:
    """W.csv: `window,school[,class],start,end,expected,sources`, epoch seconds, kinds separated by `;`."""
    table = read_whole(path, _WINDOW_COLUMNS, ("class",))
    with table.located():
        table.unique("window")
        start, end = table.integers("start", _MOST_SECONDS), table.integers("end", _MOST_SECONDS)
        table.require(start < end, "`end` must come after `start`")
        columns = Windows(
            start=start,
            end=end,
            kinds=table.each("sources", _kinds),
            expected=table.integers("expected", _MOST_DEVICES),
        )
        ids, school = table.filled("window"), table.filled("school")
    return WindowTable(ids, school, table.cells.get("class"), columns)


def read_signals(
    path: Path, windows: WindowTable, apps: Mapping[str, int], progress: Progress | None = None
) -> Signals:
    """Signals of the listed windows: `window,t,device,app,action,amount`.

    apps: catalogue id -> index; a blank app is unlisted (0). device: any token, which becomes a number.
    `progress` is told the bytes read so far. Memory: 33 bytes a signal, and a block of rows at a time.
    """
    parts: list[Signals] = []
    devices: dict[str, int] = {}
    window_of = {name: i for i, name in enumerate(windows.ids)}
    app_of = {"": 0, **apps}
    action_of = {name: i for i, name in enumerate(ACTION_NAMES)}
    for table in read_blocks(path, _SIGNAL_COLUMNS, progress):
        with table.located():
            amount = table.numbers("amount", 0.0, 0.0, MAX_AMOUNT)
            table.require((amount == 0) | (amount >= _LEAST_AMOUNT), "`amount` is 0 or at least a nanosecond")
            part = Signals(
                window=table.known("window", window_of, "is no window of the table").astype(np.int32),
                t=table.integers("t", _MOST_SECONDS),
                device=_numbered(table.filled("device"), devices),
                app=table.known("app", app_of, "is not in the catalogue").astype(np.int32),
                action=table.known("action", action_of, "is no action").astype(np.uint8),
                amount=amount,
            )
        parts.append(part)
    return _joined(parts, devices)


def read_features(path: Path) -> FeatureTable:
    """F.csv: `window,school[,class][,start]` and the 24 features of set 1."""
    table = read_whole(path, ("window", "school", *FEATURES), ("class", "start"))
    with table.located():
        table.unique("window")
        x = np.empty((table.rows, len(FEATURES)))
        for i, name in enumerate(FEATURES):
            x[:, i] = table.numbers(name, math.nan, -math.inf, math.inf)
        table.require(~(x[:, EVIDENCE] < 0), "`evidence` must not be negative")
        start = table.integers("start", _MOST_SECONDS) if "start" in table.cells else None
        ids, school = table.filled("window"), table.filled("school")
    return FeatureTable(ids, school, table.cells.get("class"), start, x)


def write_features(path: Path, windows: WindowTable, x: Floats) -> None:
    """F.csv of the windows in their order; `class` and `start` follow `school` where windows have classes."""
    named: dict[str, Iterable[str]] = {"window": windows.ids, "school": windows.school}
    if windows.class_ is not None:
        named |= {"class": windows.class_, "start": map(str, windows.columns.start.tolist())}
    columns = [*named.values(), *(map(_text, x[:, i].tolist()) for i in range(len(FEATURES)))]
    write_columns(path, (*named, *FEATURES), columns)


def read_placements(path: Path) -> PlacementTable:
    """P.csv: `window,model,dimension,p0..,low,high,evidence,verdict`."""
    fixed = ("window", "model", "dimension", "low", "high", "evidence", "verdict")
    table = read_whole(path, fixed, tuple(f"p{k}" for k in range(100)))
    stages = sum(name not in fixed for name in table.cells)
    with table.located():
        if stages < 2 or any(f"p{k}" not in table.cells for k in range(stages)):
            raise WrongCell(0, "columns p0, p1, ... must count from 0 without a gap, at least two")
        probs = np.stack([table.numbers(f"p{k}", math.nan, 0.0, 1.0) for k in range(stages)], axis=1)
        table.known("verdict", {name: i for i, name in enumerate(_VERDICTS)}, "is no verdict")
        low, high = (table.numbers(name, -1.0, 0.0, stages - 1.0) for name in ("low", "high"))
        whole = (low == np.floor(low)) & (high == np.floor(high))
        table.require(whole & (low <= high) & ((low < 0) == (high < 0)), "`low` and `high` are no set")
        evidence = table.numbers("evidence", math.nan, 0.0, math.inf)
        names = [table.filled(name) for name in ("window", "model", "dimension")]
    return PlacementTable(
        window=names[0],
        model=names[1],
        dimension=names[2],
        probs=probs,
        low=low.astype(np.int64),
        high=high.astype(np.int64),
        evidence=evidence,
        verdict=table.cells["verdict"],
    )


def write_placements(path: Path, placements: PlacementTable) -> None:
    """P.csv; the stages of the widest dimension make the columns p0, p1, ..."""
    stages = placements.probs.shape[1]
    names = ("window", "model", "dimension", *(f"p{k}" for k in range(stages)), "low", "high", "evidence")
    columns: list[Iterable[str]] = [placements.window, placements.model, placements.dimension]
    columns += [map(_text, placements.probs[:, k].tolist()) for k in range(stages)]
    columns += [map(_stage, ends.tolist()) for ends in (placements.low, placements.high)]
    columns += [map(_text, placements.evidence.tolist()), placements.verdict]
    write_columns(path, (*names, "verdict"), columns)


def _text(number: float) -> str:
    return "" if math.isnan(number) else repr(number)


def _stage(number: int) -> str:
    return "" if number < 0 else str(number)


def _kinds(text: str) -> frozenset[str]:
    kinds = frozenset(filter(None, (kind.strip() for kind in text.split(";"))))
    sights(kinds)
    return kinds


def _numbered(tokens: Cells, devices: dict[str, int]) -> NDArray[np.uint64]:
    return np.array([devices.setdefault(token, len(devices)) for token in tokens], np.uint64)


def _joined(parts: list[Signals], devices: dict[str, int]) -> Signals:
    """One table; devices numbered by their token, so that the order of rows does not matter."""
    rank = np.empty(len(devices), np.uint64)
    rank[[devices[token] for token in sorted(devices)]] = np.arange(len(devices), dtype=np.uint64)
    none = np.zeros(0)
    return Signals(
        window=np.concatenate([none.astype(np.int32), *(part.window for part in parts)]),
        t=np.concatenate([none.astype(np.int64), *(part.t for part in parts)]),
        device=np.concatenate([none.astype(np.uint64), *(rank[part.device] for part in parts)]),
        app=np.concatenate([none.astype(np.int32), *(part.app for part in parts)]),
        action=np.concatenate([none.astype(np.uint8), *(part.action for part in parts)]),
        amount=np.concatenate([none, *(part.amount for part in parts)]),
    )
