"""P.csv: where each window stands on each dimension of a model."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.csv_columns import Cells, Floats, Ints, WrongCell, read_whole, write_rows
from models.features.set1 import EVIDENCE
from models.scoring.scorer import Scored
from models.tables.features import MOST
from models.tables.texts import blocks, number_texts, stage_texts

_VERDICTS: Final = ("placed", "thin", "evidence_only")


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
        evidence = table.numbers("evidence", math.nan, 0.0, MOST)
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

    def rows() -> Iterator[tuple[str, ...]]:
        for part in blocks(len(placements.window)):
            yield from zip(
                placements.window[part],
                placements.model[part],
                placements.dimension[part],
                *(number_texts(placements.probs[part, k]) for k in range(stages)),
                stage_texts(placements.low[part]),
                stage_texts(placements.high[part]),
                number_texts(placements.evidence[part]),
                placements.verdict[part],
                strict=True,
            )

    write_rows(path, (*names, "verdict"), rows())
