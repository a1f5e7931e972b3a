"""The one-pass loop in C as a peer: built by the system's compiler where there is one."""

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.features.inputs import Signals, Windows
from models.features.set1 import FEATURES

OPTIONS: Final = ("-O3", "-march=native", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror")
_SOURCE: Final = Path(__file__).with_name("one_pass.c")


def one_pass(
    folder: Path,
    signals: Signals,
    windows: Windows,
    channels: NDArray[np.float64],
    off_task: NDArray[np.bool_],
) -> Callable[[], NDArray[np.float64]] | None:
    """What computes the features [w, 24] of contacts, sorted here and once; None where nothing compiles C."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "one_pass.so"
    subprocess.run([compiler, *OPTIONS, "-o", str(library), str(_SOURCE), "-lm"], check=True)
    loop = ctypes.CDLL(str(library)).one_pass
    order = np.lexsort((signals.app, signals.t, signals.device, signals.window))
    columns = [
        np.ascontiguousarray(column.take(order))
        for column in (signals.window, signals.t, signals.device, signals.app)
    ]
    sides, weights = (windows.start, windows.end), np.ascontiguousarray(channels)
    found = np.empty((len(windows), len(FEATURES)))

    def run() -> NDArray[np.float64]:
        arguments: tuple[Any, ...] = (
            len(order),
            *columns,
            len(windows),
            *sides,
            len(weights),
            weights,
            off_task,
            found,
        )
        if loop(*(_argument(value) for value in arguments)):
            raise RuntimeError("the loop in C has no room for windows so long or a catalogue so large")
        return found

    return run


def _argument(value: "int | NDArray[Any]") -> Any:
    return ctypes.c_int64(value) if isinstance(value, int) else value.ctypes.data_as(ctypes.c_void_p)
