"""The machine a run was made on, said so that others can compare and nobody can find it."""

import os
import platform
import resource
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from typing import Any, Final

# Where files of a run lie: on a disk, while /tmp may be memory, in which a FULL commit costs nothing.
WORK: Final = Path("/var/tmp") if Path("/var/tmp").is_dir() else None  # noqa: S108 - temporary names within

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def describe() -> dict[str, Any]:
    """Cores, processor, system, Python, date, and what one FULL commit must wait for."""
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "fsync_ms": round(_fsync_ms(), 2),
    }


def line(facts: dict[str, Any]) -> str:
    """The machine in one line."""
    return (
        f"{facts['cores']} cores, {facts['cpu']}, {facts['memory_gib']} GiB, {facts['system']}, "
        f"Python {facts['python']}, a 4 KiB fsync {facts['fsync_ms']} ms, {facts['date']}"
    )


class Others:
    """What others did to the processors while a run was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._all, self._own = _busy_seconds(), _own_seconds()

    def share(self) -> float | None:
        """Share of the machine's processor time that went elsewhere since the start; None if unknown."""
        if self._all is None:
            return None
        busy = (_busy_seconds() or 0.0) - self._all - (_own_seconds() - self._own)
        return max(0.0, busy / ((time.monotonic() - self._began) * (os.cpu_count() or 1)))


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "processor unknown"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "processor unknown"


def _busy_seconds() -> float | None:
    try:
        head = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()
    except OSError:
        return None
    user, nice, system, _idle, _wait, irq, soft, steal = (int(part) for part in head[1:9])
    return (user + nice + system + irq + soft + steal) / _TICKS


def _own_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _fsync_ms() -> float:
    times = []
    with TemporaryFile(dir=WORK) as file:
        for _ in range(30):
            file.write(b"\0" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return median(times)
