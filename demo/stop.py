"""Ctrl-C and termination as a flag that every wait looks at, so that children are always ended in order."""

import signal
import time
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):  # noqa: N818 - somebody asked for it; nothing is wrong
    """Somebody asked the demo to end."""


class StopFlag:
    """Remembers the first signal that asks to end; used as a context, it handles signals within."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> "StopFlag":
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._remember)
        return self

    def __exit__(self, *_: object) -> None:
        for number in _SIGNALS:
            signal.signal(number, self._before[number])  # type: ignore[arg-type]  # what signal() returned

    def check(self) -> None:
        """Raise Stopped if a signal came."""
        if self.signal is not None:
            raise Stopped

    def pause(self, seconds: float) -> None:
        """Let `seconds` pass, or less if a signal comes: then raise Stopped."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, 0.1))
        self.check()

    def _remember(self, number: int, _: FrameType | None) -> None:
        self.signal = self.signal or number
