"""The soak's school: a log written at a fixed rate while simulated days go by, rotated each midnight."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.make.schools import Fleet

DAY: Final = 86_400
SPEED: Final = 144  # simulated seconds in each real one: a day takes ten minutes, a key lives for fifteen
SLICE_S: Final = 0.1
LEASES_EACH: Final = DAY // 2

# Lessons all round the clock, so that the load never rests; the last minute of a day has none.
BELLS: Final = [
    (str(hour), f"{hour:02d}:00", f"{hour + 1:02d}:00" if hour < 23 else "23:59") for hour in range(24)
]
_LESSONS_END: Final = DAY - 60


class Load:
    """Writes `rate` query lines a real second; every one is a signal of its own while a lesson is on.

    `speed`: simulated seconds in each. `lines` are those written so far, leases included, `signals` those of
    them that must be counted, and `newest` how many lines there were when, by the monotonic clock.
    """

    def __init__(
        self, log: Path, fleet: Fleet, names: list[str], rate: int, midnight: int, speed: int = SPEED
    ) -> None:
        self.lines = 0
        self.newest = 0, time.monotonic()
        self.signals = 0
        self.rotations = 0
        self._log = log
        self._fleet = fleet
        self._rate = rate
        self._speed = speed
        self._midnight = midnight
        self._reached = midnight
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        addresses = [address for row in fleet.addresses for address in row]
        self._asked = [f"query[A] {name} from {address}\n" for name in names for address in addresses]

    def lease(self) -> None:
        """One DHCPACK line a device at the moment reached."""
        text = self._fleet.leases(_stamp(self._reached))
        with self._log.open("a", encoding="ascii") as file:
            file.write(text)
        self.lines += text.count("\n")

    def start(self) -> None:
        """Begin; the simulated clock begins at the same moment."""
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Finish the slice under way."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        slices = 0
        while not self._stop.wait(max(0.0, self._began + slices * SLICE_S - time.monotonic())):
            slices += 1
            upto = self._midnight + int((time.monotonic() - self._began) * self._speed)
            while self._reached < upto:
                end = min(upto, (self._reached // LEASES_EACH + 1) * LEASES_EACH)
                self._write(end)
                if end % DAY == 0:
                    self._rotate()
                if end % LEASES_EACH == 0:
                    self.lease()

    def _write(self, end: int) -> None:
        parts = []
        lines = signals = 0
        for second in range(self._reached, end):
            first, last = (
                (moment - self._midnight) * self._rate // self._speed for moment in (second, second + 1)
            )
            head = f"{_stamp(second)} dnsmasq[9]: "
            parts += [head + self._asked[number % len(self._asked)] for number in range(first, last)]
            lines += last - first
            signals += (last - first) * (second % DAY < _LESSONS_END)
        with self._log.open("a", encoding="ascii") as file:
            file.write("".join(parts))
        self._reached = end
        self.lines += lines
        self.signals += signals
        self.newest = self.lines, time.monotonic()

    def _rotate(self) -> None:
        self._log.rename(self._log.with_name(f"{self._log.name}.1"))
        self._log.touch()
        self.rotations += 1


def _stamp(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%b %e %H:%M:%S}"
