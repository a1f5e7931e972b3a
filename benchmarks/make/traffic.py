"""Query lines written to a log in real time, as many a second as asked for, each one signal of its own."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.make.schools import Fleet
from models.catalogue.load import Catalogue

SLICES: Final = 10  # a second is written in so many parts


def listed_names(catalogue: Catalogue, count: int) -> list[str]:
    """One host name each of the first `count` apps that have one and are not off-task."""
    return [app.domains[0] for app in catalogue.apps if app.domains and not app.off_task][:count]


class Traffic:
    """Each second every device asks for some names: `rate` queries a second over the whole fleet."""

    def __init__(self, fleet: Fleet, names: Sequence[str], rate: int) -> None:
        addresses = [address for row in fleet.addresses for address in row]
        asked = -(-rate // len(addresses))
        self._turns = [
            [
                (names[(turn + device + i) % len(names)], address)
                for i in range(asked)
                for device, address in enumerate(addresses)
            ][:rate]
            for turn in range(len(names))
        ]
        self.rate = rate

    def second(self, moment: int, *, answers: bool) -> list[str]:
        """The lines of one second (UTC), in `SLICES` parts; with `answers` three for each query."""
        head = f"{datetime.fromtimestamp(moment, UTC):%b %e %H:%M:%S} dnsmasq[9]: "
        lines = [
            f"{head}query[A] {name} from {address}\n"
            for name, address in self._turns[moment % len(self._turns)]
        ]
        if answers:
            pairs = zip(lines, self._turns[moment % len(self._turns)], strict=True)
            lines = [
                f"{line}{head}forwarded {name} to 9.9.9.9\n{head}reply {name} is 192.0.2.7\n"
                for line, (name, _) in pairs
            ]
        step = -(-len(lines) // SLICES)
        return ["".join(lines[i : i + step]) for i in range(0, len(lines), step)]

    def write(self, log: Path, start: int, seconds: int, *, answers: bool = False) -> tuple[int, float]:
        """Append `seconds` of traffic in real time; how many queries, and how long it took."""
        began = time.monotonic()
        with log.open("a", encoding="ascii", buffering=1 << 20) as file:
            for second in range(seconds):
                for part, text in enumerate(self.second(start + second, answers=answers)):
                    file.write(text)
                    file.flush()
                    due = began + second + (part + 1) / SLICES
                    time.sleep(max(0.0, due - time.monotonic()))
        return seconds * self.rate, time.monotonic() - began
