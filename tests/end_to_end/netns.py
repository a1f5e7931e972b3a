"""Two network namespaces with a bad wire between them: by `tc netem` where the kernel has it, else by TUN."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tests.end_to_end import wire
from tests.end_to_end.wire import DEVICE

T = TypeVar("T")

SEED = 20
SIDES = ("left", "right")
ADDRESS = {"left": "10.77.1.1", "right": "10.77.2.1"}
OTHER_LEFT = "10.77.1.2"
_BAD = "delay 40ms 20ms loss 5% reorder 5% duplicate 1%"


class Weathered(Protocol):
    """What a test does to the wire."""

    def cut(self) -> None:
        """Nothing arrives any more."""

    def mend(self) -> None:
        """The wire is as bad as before."""


@dataclass(frozen=True)
class Land:
    """Two namespaces, what connects them, and by what."""

    names: dict[str, str]
    wire: Weathered
    by: str

    def run(self, side: str, *words: str) -> str:
        """A command inside a namespace, to its end; its output."""
        return _run("ip", "netns", "exec", self.names[side], *words)

    def prefix(self, side: str) -> list[str]:
        """What to put before a command so that it runs inside."""
        return ["ip", "netns", "exec", self.names[side]]

    def inside(self, side: str, work: Callable[[], T]) -> T:
        """`work` done by a thread that is in the namespace."""
        return wire.inside(self.names[side], work)

    def move_left(self) -> None:
        """The left side's address changes under whatever is connected."""
        left = self.names["left"]
        _run("ip", "-n", left, "addr", "add", f"{OTHER_LEFT}/32", "dev", DEVICE)
        _run("ip", "-n", left, "addr", "del", f"{ADDRESS['left']}/32", "dev", DEVICE)
        _run("ip", "-n", left, "route", "replace", "default", "dev", DEVICE, "src", OTHER_LEFT)


def missing() -> str:
    """Why namespaces and a wire cannot be made here; empty where they can."""
    if shutil.which("ip") is None:
        return "no `ip` command here (Debian: iproute2)"
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = _name("probe")
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"network namespaces cannot be made here: {made.stderr.strip()}"
    try:
        return "" if _has_netem(name) or not (why := _no_tun(name)) else f"no `tc netem`, and {why}"
    finally:
        _run("ip", "netns", "del", name)


@contextmanager
def land() -> Iterator[Land]:
    """The two namespaces while they last."""
    names = {side: _name(side) for side in SIDES}
    made = []
    try:
        for name in names.values():
            _run("ip", "netns", "add", name)
            made.append(name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
        netem = _has_netem(names["left"])
        with (_netem if netem else _tun)(names) as between:
            for side, name in names.items():
                _run("ip", "-n", name, "addr", "add", f"{ADDRESS[side]}/32", "dev", DEVICE)
                _run("ip", "-n", name, "link", "set", DEVICE, "up")
                _run("ip", "-n", name, "route", "add", "default", "dev", DEVICE)
            yield Land(names, between, "netem" if netem else "tun")
    finally:
        for name in made:
            _run("ip", "netns", "del", name)


class TunWire:
    """The relay of tests.end_to_end.wire in a process of its own; `counts` once it has ended."""

    def __init__(self, left: str, right: str) -> None:
        self.counts: dict[str, int] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.end_to_end.wire", left, right, str(SEED)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._expect("ready")

    def cut(self) -> None:
        """See Weathered."""
        self._tell("cut")

    def mend(self) -> None:
        """See Weathered."""
        self._tell("mend")

    def close(self) -> None:
        """End it, and keep its counts."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        said = self._process.stdout.read()
        self._process.stdout.close()
        self._process.wait(timeout=10)
        self.counts = json.loads(said) if said.strip() else {}

    def _tell(self, word: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        self._expect(word)

    def _expect(self, word: str) -> None:
        assert self._process.stdout
        assert self._process.stdout.readline().strip() == word, "the wire ended by itself"


class NetemWire:
    """A pair of virtual Ethernet devices, both weathered by the kernel."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names
        self._weather("add", _BAD)

    def cut(self) -> None:
        """See Weathered."""
        self._weather("change", "loss 100%")

    def mend(self) -> None:
        """See Weathered."""
        self._weather("change", _BAD)

    def _weather(self, verb: str, how: str) -> None:
        for name in self._names.values():
            _run("tc", "-n", name, "qdisc", verb, "dev", DEVICE, "root", "netem", *how.split())


@contextmanager
def _tun(names: dict[str, str]) -> Iterator[Weathered]:
    between = TunWire(names["left"], names["right"])
    try:
        yield between
    finally:
        between.close()


@contextmanager
def _netem(names: dict[str, str]) -> Iterator[Weathered]:
    left, right = names["left"], names["right"]
    _run("ip", "-n", left, "link", "add", DEVICE, "type", "veth", "peer", "name", DEVICE, "netns", right)
    yield NetemWire(names)


def _has_netem(namespace: str) -> bool:
    if shutil.which("tc") is None:
        return False
    words = ["tc", "-n", namespace, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        return False
    _run("tc", "-n", namespace, "qdisc", "del", "dev", "lo", "root")
    return True


def _no_tun(namespace: str) -> str:
    try:
        os.close(wire.open_tun(namespace))
    except OSError as error:
        return f"no TUN device: {error}"
    return ""


def _name(side: str) -> str:
    return f"cg{os.getpid()}{side}"


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout
