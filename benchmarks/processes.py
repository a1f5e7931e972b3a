"""Processes that a row starts and ends: their output, their processor time, their memory."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

DEADLINE: Final = 120.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def module(name: str, *words: str) -> list[str]:
    """The command line of a module of ours."""
    return [sys.executable, "-m", name, *words]


def commonground(*words: str, text: str | None = None) -> str:
    """`commonground ...` to its end; its standard output. Raises RuntimeError with what it said."""
    done = subprocess.run(
        module("commonground", *words),
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )
    if done.returncode:
        raise RuntimeError(f"commonground {' '.join(words[:2])}: {done.stderr or done.stdout}")
    return done.stdout


@contextmanager
def running(words: list[str], log: Path) -> Iterator["Process"]:
    """A process while it lasts; ended by SIGTERM. Its output goes to `log`."""
    with log.open("ab") as output:
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Process(child, log)
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@dataclass(frozen=True, slots=True)
class Process:
    """A running process, seen through /proc."""

    child: "subprocess.Popen[bytes]"
    log: Path

    def check(self) -> None:
        """Raises RuntimeError with its last words if it has ended."""
        if self.child.poll() is not None:
            raise RuntimeError(f"{self.log.name} ended: {self.log.read_text(errors='replace')[-2000:]}")

    def cpu_seconds(self) -> float:
        """Processor seconds, user and system, of all its threads."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mib(self) -> tuple[float, float]:
        """Resident memory now, and at most so far."""
        text = Path(f"/proc/{self.child.pid}/status").read_text()
        found = [re.search(rf"^{name}:\s+(\d+) kB", text, re.M) for name in ("VmRSS", "VmHWM")]
        now, most = (int(match[1]) / 1024 if match else float("nan") for match in found)
        return now, most


def until(claim: Callable[[], Any], what: str, *, alive: Iterable[Process] = (), pause: float = 0.05) -> Any:
    """Wait until `claim` gives something true, and give it.

    RuntimeError says what never came, or what one of the `alive` said before it ended.
    """
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        for process in alive:
            process.check()
        try:
            if found := claim():
                return found
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(pause)
    raise RuntimeError(f"{what} did not come within {DEADLINE:g} s")


def fetch(url: str) -> str:
    """The body of a page on this machine."""
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - loopback only
        return str(answer.read().decode())


@contextmanager
def asking(url: str) -> Iterator[list[float]]:
    """Ask for a page over and over while it lasts, half a second apart; seconds that each answer took.

    An error ends it and is raised at the end.
    """
    answers: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while True:
            began = time.perf_counter()
            fetch(url)
            answers.append(time.perf_counter() - began)
            if over.wait(0.5):
                return

    with ThreadPoolExecutor(1) as one:
        done = one.submit(ask)
        try:
            yield answers
        finally:
            over.set()
        done.result()


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()
