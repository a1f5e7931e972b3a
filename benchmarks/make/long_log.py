"""A long past log of a busy school on disk, a hundredth of it rubbish, as a resolver left it over months."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from benchmarks.make.schools import Fleet

GIB: Final = 1 << 30
RUBBISH: Final = 0.01
DAY_SECONDS: Final = (8 * 3600, 16 * 3600)  # from when to when anything is asked for
STEP: Final = 60


def write_long_log(
    path: Path, fleet: Fleet, names: list[str], size: int, first: date, told: Callable[[float], None]
) -> tuple[int, int]:
    """Write about `size` bytes from `first` on, a day's traffic for each day; (lines, rubbish among them).

    Each device asks for something each minute of the day in two, and gets its lease anew each hour. `told`
    gets the share that is written.
    """
    rng = random.Random(20260914)
    lines = rubbish = written = 0
    with path.open("wb", buffering=1 << 20) as file:
        for block, count, bad in _blocks(fleet, names, first, rng):
            file.write(block)
            lines, rubbish, written = lines + count, rubbish + bad, written + len(block)
            told(min(written / size, 1.0))
            if written >= size:
                break
    return lines, rubbish


def _blocks(
    fleet: Fleet, names: list[str], first: date, rng: random.Random
) -> Iterator[tuple[bytes, int, int]]:
    addresses = [address for row in fleet.addresses for address in row]
    half = len(addresses) // 2
    for number in range(366):
        day = datetime.combine(first + timedelta(days=number), time(), UTC)
        for at in range(*DAY_SECONDS, STEP):
            lines = []
            moment = day + timedelta(seconds=at)
            if at % 3600 == 0:
                lines += fleet.leases(f"{moment:%b %e %H:%M:%S}").splitlines(keepends=True)
            asking = rng.sample(addresses, half)
            for second in range(STEP):
                head = f"{moment + timedelta(seconds=second):%b %e %H:%M:%S} dnsmasq[9]: "
                for address in asking[second * half // STEP : (second + 1) * half // STEP]:
                    name = rng.choice(names)
                    lines.append(f"{head}query[A] {name} from {address}\n")
                    lines.append(f"{head}forwarded {name} to 9.9.9.9\n")
                    lines.append(f"{head}reply {name} is 192.0.2.7\n")
            wrong = max(1, round(len(lines) * RUBBISH))
            texts = [line.encode() for line in lines]
            for _ in range(wrong):
                texts.insert(rng.randrange(len(texts)), _rubbish(rng))
            yield b"".join(texts), len(texts), wrong


def _rubbish(rng: random.Random) -> bytes:
    """A line that no resolver wrote: bytes of all kinds, half a line, one that is much too long."""
    kind = rng.randrange(20)
    if kind == 0:
        return b"x" * rng.randrange(5_000, 100_000) + b"\n"
    if kind < 8:
        return b"Sep 31 25:61:61 dnsmasq[9]: query[A] " + bytes(rng.choices(range(97, 123), k=9)) + b"\n"
    data = bytes(rng.choices(range(256), k=rng.randrange(1, 120)))
    return data.replace(b"\n", b"?").replace(b"\0", b"?") + b"?\n"
