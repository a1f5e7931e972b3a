"""Runs one function in a process of its own, on one core with one thread: `python -m benchmarks.alone`.

What is measured inside by `process_seconds` is processor time, so that a busy machine disturbs it little.
"""

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final

_ONE_THREAD: Final = (
    "POLARS_MAX_THREADS",
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
)


def alone(module: str, function: str, **arguments: Any) -> Any:
    """What `module.function(**arguments)` returns, run alone; arguments and result as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.alone", module, function, json.dumps(arguments)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env=os.environ | dict.fromkeys(_ONE_THREAD, "1"),
    )
    if done.returncode:
        raise RuntimeError(f"{module}.{function} failed, see above")
    return json.loads(done.stdout.splitlines()[-1])


def process_seconds(work: Callable[[], object]) -> float:
    """Processor seconds of this process, all its threads, that `work` takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main(module: str, function: str, arguments: str) -> None:
    """Bind this process to one core, then run the function."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(json.dumps(getattr(importlib.import_module(module), function)(**json.loads(arguments))))


if __name__ == "__main__":
    main(*sys.argv[1:])
