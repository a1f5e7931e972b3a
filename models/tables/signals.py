"""Signals out of their CSV file, block by block: plain blocks fast, odd ones through the careful columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.csv_columns import Cells, Columns, Floats, Progress
from models.csv_lines import csv_lines
from models.features.inputs import Signals
from models.tables.tokens import numbered, side_by_side
from models.tables.windows import MOST_SECONDS, WindowTable
from models.tables.words import Odd, PlainCells, Vocabulary, Words, joined_words
from shared.signals import MAX_AMOUNT
from shared.words import ACTION_NAMES

_COLUMNS: Final = ("window", "t", "device", "app", "action", "amount")
_LEAST_AMOUNT: Final = 1e-9
_ACTIONS: Final = {name: i for i, name in enumerate(ACTION_NAMES)}

ROW: Final = np.dtype([("window", "<i4"), ("t", "<u4"), ("app", "<i4"), ("action", "u1"), ("amount", "<f8")])


@dataclass(frozen=True, slots=True)
class Rows:
    """Signals [n] as they stand in a file: `fixed` has the fields of ROW, `token` [n, k] the device's text
    as words padded with zeros.
    """

    fixed: NDArray[Any]
    token: Words

    def __len__(self) -> int:
        return len(self.fixed)

    @property
    def bytes_a_row(self) -> int:
        """What one of them takes."""
        return int(ROW.itemsize + self.token.itemsize * self.token.shape[1])

    @classmethod
    def of(
        cls,
        window: NDArray[Any],
        t: NDArray[Any],
        app: NDArray[Any],
        action: NDArray[Any],
        amount: Floats,
        token: Words,
    ) -> "Rows":
        """Rows from columns."""
        fixed = np.empty(len(window), ROW)
        for name, column in (
            ("window", window),
            ("t", t),
            ("app", app),
            ("action", action),
            ("amount", amount),
        ):
            fixed[name] = column
        return cls(fixed, token)

    @classmethod
    def joined(cls, parts: "Sequence[Rows]") -> "Rows":
        """All parts, of which there is at least one, as one."""
        if len(parts) == 1:
            return parts[0]
        fixed = np.concatenate([part.fixed for part in parts])
        return cls(fixed, side_by_side([part.token for part in parts]))

    def taken(self, order: NDArray[np.int64]) -> "Rows":
        """The rows in another order."""
        return Rows(self.fixed.take(order), self.token.take(order, axis=0))


def as_signals(parts: Iterable[Rows], first: int = 0) -> Signals:
    """All parts as columns, windows numbered from `first` on, devices in the order of their texts."""
    fixed = [np.empty(0, ROW)]

    def tokens() -> Iterator[Words]:
        for rows in parts:
            fixed.append(rows.fixed)
            yield rows.token

    device = numbered(tokens())
    table = np.concatenate(fixed)
    return Signals(
        window=table["window"] - np.int32(first),
        t=table["t"].astype(np.int64),
        device=device,
        app=np.ascontiguousarray(table["app"]),
        action=np.ascontiguousarray(table["action"]),
        amount=np.ascontiguousarray(table["amount"]),
    )


def read_signals(
    path: Path, windows: WindowTable, apps: Mapping[str, int], progress: Progress | None = None
) -> Signals:
    """Signals of the listed windows: `window,t,device,app,action,amount`, all in memory.

    apps: catalogue id -> index; a blank app is unlisted (0). device: any text without control characters,
    which becomes a number; the numbers rise with the texts. `progress` is told the bytes read.
    """
    return as_signals(signal_rows(path, windows.ids, apps, progress))


def signal_rows(
    path: Path, windows: Cells, apps: Mapping[str, int], progress: Progress | None = None
) -> Iterator[Rows]:
    """The rows of a file of signals, a block of them at a time."""
    tables = {
        "window": {name: i for i, name in enumerate(windows)},
        "app": {"": 0, **apps},
        "action": _ACTIONS,
    }
    known = {name: Vocabulary(table) for name, table in tables.items()}
    with csv_lines(path, _COLUMNS, progress=progress) as file:
        while data := file.take():
            try:
                rows = _plain(PlainCells(data, len(_COLUMNS)), file.names, known)
                file.passed(data)
            except Odd:
                found, lines = file.rows(data)
                rows = _careful(Columns(path, file.names, found, lines), tables)
            yield rows


def _plain(cells: PlainCells, names: Cells, known: Mapping[str, Vocabulary]) -> Rows:
    column = {name: i for i, name in enumerate(names)}
    amount = cells.numbers(column["amount"])
    # NaN is not good either.
    if not _good(amount).all():
        raise Odd
    return Rows.of(
        window=known["window"].find(cells.texts(column["window"])),
        t=cells.integers(column["t"], MOST_SECONDS),
        app=known["app"].find(cells.texts(column["app"])),
        action=known["action"].find(cells.texts(column["action"])),
        amount=amount,
        token=np.stack(cells.filled(column["device"]), axis=1),
    )


def _careful(table: Columns, known: Mapping[str, Mapping[str, int]]) -> Rows:
    with table.located():
        amount = table.numbers("amount", 0.0, 0.0, MAX_AMOUNT)
        table.require(_good(amount), "`amount` is 0 or at least a nanosecond")
        return Rows.of(
            window=table.known("window", known["window"], "is no window of the table"),
            t=table.integers("t", MOST_SECONDS),
            app=table.known("app", known["app"], "is not in the catalogue"),
            action=table.known("action", known["action"], "is no action"),
            amount=amount,
            token=joined_words([text.encode() for text in table.tokens("device")]),
        )


def _good(amount: Floats) -> NDArray[np.bool_]:
    good: NDArray[np.bool_] = (amount == 0) | ((amount >= _LEAST_AMOUNT) & (amount <= MAX_AMOUNT))
    return good
