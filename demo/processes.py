"""The demo's child processes: the real commands, their output in log files, ended together."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from shared.errors import CommonGroundError

GRACE_SECONDS: Final = 4.0
COMMAND_SECONDS: Final = 60.0

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_libc: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def _line(*args: str) -> list[str]:
    return [sys.executable, "-m", "commonground", *args]


def _end_with_parent() -> None:
    # Where the kernel offers it, a child ends even if the driver is killed and can end nobody.
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


class Commands:
    """Short commands, one at a time in each thread; `check` raises before the next if the demo must end."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check

    def run(self, *args: str, stdin: str = "") -> str:
        """One command to its end; its standard output. Raises CommonGroundError with what it said."""
        self._check()
        name = f"commonground {' '.join(args[:2])}"
        try:
            done = subprocess.run(
                _line(*args),
                input=stdin,
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
                process_group=0,
            )
        except subprocess.TimeoutExpired:
            raise CommonGroundError(
                f"`{name}` did not end within {COMMAND_SECONDS:.0f} s: try again"
            ) from None
        if done.returncode:
            raise CommonGroundError(f"`{name}` failed: {_last(done.stderr or done.stdout)}")
        return done.stdout


class Children:
    """Long-running commands. Each has its own process group: a Ctrl-C reaches them through us alone."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def log(self, name: str) -> Path:
        """Where a child's output goes."""
        return self._logs / f"{name}.log"

    def start(self, name: str, *args: str) -> None:
        """Start one command; its output is appended to its log."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                _line(*args),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=_end_with_parent,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )

    def check(self) -> None:
        """Raise CommonGroundError if a child has ended by itself."""
        for name, child in self.running.items():
            if child.poll() is not None:
                said = _last(self.log(name).read_text(errors="replace"))
                raise CommonGroundError(
                    f"{name} ended by itself (exit {child.returncode}): {said} (see {self.log(name)})"
                )

    def stop(self) -> None:
        """Ask every child to end, and kill what has not within four seconds."""
        for child in self.running.values():
            if child.poll() is None:
                child.terminate()
        end = time.monotonic() + GRACE_SECONDS
        for child in self.running.values():
            try:
                child.wait(max(end - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.running.clear()
