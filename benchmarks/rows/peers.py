"""Memory of a receiver with a thousand peers: idle, sending, and all flooding, beside a bare ROUTER."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.harness import Row, Size, met, prose, times
from benchmarks.machine import WORK
from benchmarks.processes import Process, module
from shared.link.frames import MAX_FRAME, MAX_PAYLOAD
from shared.link.keys import KeyPair
from shared.link.limits import GUARDED

PEERS: Final = {"quick": 200, "full": 1000}
ALL_PEERS: Final = 1000
SENT: Final = (20, 3000)  # batches a peer, and bytes of each
FLOOD: Final = 12  # frames a peer while the receiver stands still; a bare one would take a thousand
FURY: Final = 12  # and once it goes on
MIB: Final = 2**20


def measure(size: Size) -> Row:
    """The row."""
    count = PEERS[size]
    keys = [KeyPair.new() for _ in range(count)]
    found = {kind: _run(kind, keys) for kind in ("guarded", "bare")}
    ours, other = found["guarded"], found["bare"]
    empty = ours["empty"]
    bound = empty + count * GUARDED.queue * MAX_FRAME / MIB + ours["idle"] - empty
    worst = max(ours["held"], ours["flooded"])
    counters = ours["counters"]
    return Row(
        name="peers",
        budget="link: memory bounded at 1,000 peers",
        measured=f"{ours['idle']:.0f} MiB idle, {ours['sending']:.0f} sending, {worst:.0f} flooding,"
        f" {count:,} peers",
        peer=f"bare ROUTER {other['idle']:.0f} / {other['sending']:.0f} /"
        f" {max(other['held'], other['flooded']):.0f} MiB",
        ratio=times(worst / max(other["held"], other["flooded"])),
        met=met(worst <= 1.25 * bound, whole=count >= ALL_PEERS),
        notes=prose(
            f"""
            Resident memory of a process with a hub's limits on connections, which keeps durably how each
            stream stands; {empty:.0f} MiB with no peer. Idle: all have said HELLO. Sending: {SENT[0]} batches
            of {SENT[1]:,} bytes each. Flooding: frames of 64 KiB, up to {FLOOD} a peer while the receiver
            stands still, as on a disk that does not answer ({ours["held"]:.0f} MiB), and {FURY} more once it
            goes on ({ours["flooded"]:.0f} MiB); one was told to wait {counters.get("busy", 0):,} times, and
            {counters.get("dropped", 0):,} frames were dropped undecoded. The bound is {bound:.0f} MiB: idle,
            and {GUARDED.queue} frames a connection; a quarter more is granted for what the allocator keeps.
            The quota here is far below a hub's, which a thousand peers on one loopback could not exceed. The
            bare ROUTER keeps nothing and has libzmq's defaults: a thousand frames a connection, 64 MiB for
            each peer, had they sent as many.
            """
        ),
        numbers={"peers": count, "bound_mib": bound, **found},
    )


def _run(kind: str, keys: list[KeyPair]) -> dict[str, Any]:
    with TemporaryDirectory(dir=WORK) as name, ExitStack() as held:
        folder = Path(name)
        (folder / "public").write_text("\n".join(pair.public for pair in keys))
        (folder / "pairs").write_text("\n".join(f"{pair.public} {pair.secret.decode()}" for pair in keys))
        server = held.enter_context(_talking("crowded", kind, name, str(folder / "public")))
        endpoint, public = _line(server).split()
        seen = Process(server, folder)  # type: ignore[arg-type] # its memory alone is asked for
        found: dict[str, Any] = {"empty": seen.resident_mib()[0]}
        mob = held.enter_context(_talking("mob", endpoint, public, str(folder / "pairs")))
        found["idle"] = _most(seen, mob, "connect")
        found["sending"] = _most(seen, mob, f"send {SENT[0]} {SENT[1]}")
        _say(server, "hold")
        found["held"] = _most(seen, mob, f"flood {FLOOD} {MAX_PAYLOAD}")
        _say(server, "go")
        found["flooded"] = _most(seen, mob, f"flood {FURY} {MAX_PAYLOAD}")
        assert mob.stdin
        mob.stdin.close()
        mob.wait(timeout=30)
        assert server.stdin
        server.stdin.close()
        found["counters"] = json.loads(_line(server))
        return found


@contextmanager
def _talking(name: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A program that is told what to do, while it lasts."""
    command = module(f"benchmarks.ends.{name}", *words)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def _say(child: "subprocess.Popen[str]", line: str) -> None:
    assert child.stdin
    child.stdin.write(line + "\n")
    child.stdin.flush()


def _line(child: "subprocess.Popen[str]") -> str:
    assert child.stdout
    line = child.stdout.readline()
    if not line:
        raise RuntimeError(f"{' '.join(map(str, child.args[1:4]))} ended, see above")  # type: ignore[index] # a list
    return line


def _most(server: Process, mob: "subprocess.Popen[str]", line: str) -> float:
    """The server's most resident MiB while the mob does as told."""
    done = threading.Event()
    seen: list[float] = []

    def watch() -> None:
        while not done.wait(0.05):
            seen.append(server.resident_mib()[0])

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        _say(mob, line)
        _line(mob)
    finally:
        done.set()
        watching.join()
    return max([*seen, server.resident_mib()[0]])
