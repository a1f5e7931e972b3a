"""More signals than fit in memory, window by window: sorted in pieces on disk, then merged in order.

Rows go to one temporary file in runs, each sorted by window. When all are there, how many every window has
is known: a batch is as many whole windows as fit, and in every run its rows stand in one stretch. Memory
holds one run, or one batch; only a single window with more signals than that needs more.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from models.csv_columns import Ints
from models.features.columns import stable_order
from models.features.inputs import Signals
from models.tables.signals import ROW, Rows, as_signals
from shared.errors import SettingsError, UsageError

_RUN_BYTES: Final = 8 << 20
_BATCH_BYTES: Final = 8 << 20
_MOST_GROUPS: Final = 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """All signals of the windows `rows`, which are numbered from the first of them on."""

    rows: slice
    signals: Signals


@dataclass(frozen=True, slots=True)
class _Run:
    """Where a run's parts lie in the file; `edges` [groups + 1] are the rows at which groups begin."""

    fixed_at: int
    token_at: int
    words: int
    edges: Ints


class SortedSignals:
    """Signals of `windows` windows on their way through a file."""

    def __init__(self, file: BinaryIO, windows: int, place: Path) -> None:
        self._file = file
        self._place = place
        self._waiting: list[Rows] = []
        self._runs: list[_Run] = []
        self._signals = np.zeros(windows, np.int64)
        self._bytes_a_row = ROW.itemsize
        # An index entry for every window of every run would grow with the file: groups of windows have one.
        groups = min(windows, _MOST_GROUPS)
        self._firsts = np.arange(groups + 1) * windows // max(1, groups)

    def __len__(self) -> int:
        return int(self._signals.sum())

    def add(self, rows: Rows) -> None:
        """More rows, in any order."""
        if not len(rows):
            return
        self._signals += np.bincount(rows.fixed["window"], minlength=len(self._signals))
        self._bytes_a_row = max(self._bytes_a_row, rows.bytes_a_row)
        # A run's tokens are as wide as the widest of them: a long one must not widen a full run.
        widest = max(part.bytes_a_row for part in (rows, *self._waiting))
        if (len(rows) + sum(map(len, self._waiting))) * widest > _RUN_BYTES:
            self._write_run()
        self._waiting.append(rows)

    def batches(self) -> Iterator[Batch]:
        """The windows in their order, every one of them once, with all their signals."""
        self._write_run()
        most = _BATCH_BYTES // self._bytes_a_row
        edges = np.concatenate([[0], np.cumsum(self._signals)])
        at = 0
        while at < len(self._signals):
            full = int(np.searchsorted(edges, edges[at] + most, side="right")) - 1
            stop = min(max(full, at + 1), len(self._signals))
            yield Batch(slice(at, stop), as_signals(self._read(at, stop), at))
            at = stop

    def _write_run(self) -> None:
        if not self._waiting:
            return
        rows = Rows.joined(self._waiting)
        self._waiting = []
        rows = rows.taken(stable_order(rows.fixed["window"]))
        edges = np.searchsorted(rows.fixed["window"], self._firsts)
        end = self._file.seek(0, 2)
        self._runs.append(_Run(end, end + rows.fixed.nbytes, rows.token.shape[1], edges))
        try:
            self._file.write(rows.fixed.data)
            self._file.write(np.ascontiguousarray(rows.token).data)
            self._file.flush()
        except OSError as error:
            raise _no_room(self._place, error) from None

    def _read(self, at: int, stop: int) -> Iterator[Rows]:
        """The rows of the windows `at` to just below `stop`, run by run."""
        low = int(np.searchsorted(self._firsts, at, side="right")) - 1
        high = int(np.searchsorted(self._firsts, stop, side="left"))
        for run in self._runs:
            first, last = int(run.edges[low]), int(run.edges[high])
            fixed = self._at(run.fixed_at, first, np.empty(last - first, ROW))
            kept = slice(*np.searchsorted(fixed["window"], (at, stop)).tolist())
            if kept.start == kept.stop:
                continue
            token = np.empty((kept.stop - kept.start, run.words), np.uint64)
            self._at(run.token_at, first + kept.start, token)
            yield Rows(fixed[kept].copy(), token)

    def _at(self, start: int, first: int, into: NDArray[Any]) -> NDArray[Any]:
        """Rows from the `first` on of a part that begins at `start`, as many as there is room for."""
        if len(into):
            self._file.seek(start + first * (into.nbytes // len(into)))
            self._file.readinto(into.view(np.uint8).data)  # type: ignore[attr-defined]  # typeshed lacks it
        return into


@contextmanager
def sorted_signals(windows: int, out: Path) -> Iterator[SortedSignals]:
    """Room for the signals of so many windows, in a temporary file beside `out` that goes with this context.

    Raises SettingsError when the disk is full.
    """
    folder = _folder(out)
    with ExitStack() as held:
        try:
            file = held.enter_context(tempfile.TemporaryFile(dir=folder))
        except OSError as error:
            raise _no_room(folder, error) from None
        yield SortedSignals(file, windows, folder)


def _folder(out: Path) -> Path:
    """Where there is room for what is as large as the result's source: beside the result, if one may."""
    folder = out.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"{out} cannot be written (no folder {folder}): choose another place")
    beside = os.access(folder, os.W_OK) and (out.is_file() or not out.exists())
    return folder if beside else Path(tempfile.gettempdir())


def _no_room(folder: Path, error: OSError) -> SettingsError:
    return SettingsError(f"the signals cannot be sorted in {folder} ({error.strerror}): make room there")
