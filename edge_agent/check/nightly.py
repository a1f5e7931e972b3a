"""Every night the running agent checks itself: by the command that anybody may call, in its own process."""

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog

HOUR: Final = 2
PATIENCE_SECONDS: Final = 3600.0  # of the agent's own clock
FOUND: Final = frozenset({0, 3, 4})

Start = Callable[[], "subprocess.Popen[bytes]"]


class NightlyCheck:
    """Called from the agent's main loop; never waits. The check keeps its own result in the agent's file."""

    def __init__(self, folder: Path, zone: ZoneInfo, last: float | None, start: Start | None = None) -> None:
        """`last` is when the newest check was, in seconds UTC; without one the coming night is first."""
        self._zone = zone
        self._last = last
        self._start = start or (lambda: _start(folder))
        self._running: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._log = structlog.get_logger("agent")

    def look(self, now: float) -> bool:
        """Begin a check if one is due, and end one that takes too long; whether one began."""
        if self._running is not None:
            self._watch(now)
            return False
        if self._last is None:
            self._last = now
        if not is_due(now, self._last, self._zone):
            return False
        self._last = self._began = now
        self._running = self._start()
        return True

    def stop(self) -> None:
        """End a check that runs."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def _watch(self, now: float) -> None:
        if self._running is None:
            return
        code = self._running.poll()
        if code is not None:
            self._running = None
            say = self._log.info if code in FOUND else self._log.warning
            say("checked", code=code)
        elif not 0 <= now - self._began < PATIENCE_SECONDS:
            self.stop()
            self._log.warning("check took too long")


def is_due(now: float, last: float, zone: ZoneInfo) -> bool:
    """Whether two o'clock has passed since the last check (both in seconds UTC)."""
    local = datetime.fromtimestamp(now, zone)
    night = local.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return last < night.timestamp() <= now


def _start(folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "commonground", "agent", "check", str(folder.absolute())]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
