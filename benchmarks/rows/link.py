"""Budget 4: durable, encrypted signals over the link, beside the same bytes over bare CURVE."""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.harness import Row, Size, big, interleaved, median, met, prose, times
from benchmarks.machine import WORK
from benchmarks.processes import module
from shared.link.keys import load_or_create

BATCHES: Final = {"quick": 150, "full": 1000}
RAW_BATCHES: Final = {"quick": 600, "full": 4000}
ROUNDS: Final = {"quick": 1, "full": 3}
WANTED: Final = 0.5


def measure(size: Size) -> Row:
    """The row."""
    counts = dict.fromkeys(("intake", "spool", "outbox"), BATCHES[size]) | {"raw": RAW_BATCHES[size]}
    sizes: dict[str, Any] = {}

    def one(mode: str) -> float:
        found = _round(mode, counts[mode])
        sizes.update(signals=found["signals"], bytes=found["bytes"])
        return float(counts[mode] * found["signals"] / found["seconds"])

    rates = interleaved(ROUNDS[size], {mode: lambda mode=mode: one(mode) for mode in counts})  # type: ignore[misc]
    middle = {mode: median(found) for mode, found in rates.items()}
    mib = middle["intake"] / sizes["signals"] * sizes["bytes"] / 2**20
    return Row(
        name="link",
        budget="durable, encrypted signals over the link: at least half of the raw batched CURVE rate",
        measured=f"{big(middle['intake'])} signals/s",
        peer=f"bare CURVE {big(middle['raw'])} signals/s",
        ratio=times(middle["intake"] / middle["raw"]),
        met=met(middle["intake"] >= WANTED * middle["raw"]),
        notes=prose(
            f"""
            Batches of {sizes["signals"]:,} signals ({sizes["bytes"]:,} bytes) between two processes over
            loopback. Ours: from a collector's spool to the agent's own intake and store, at most 32 on their
            way, each checked whole, spread over the tables of an agent, its stream advanced in the ledger,
            acknowledged after a FULL commit; the next ones are heard meanwhile; {mib:.0f} MiB/s. Into one
            table instead: {big(middle["spool"])} signals/s ({times(middle["spool"] / middle["raw"])}). From a
            durable outbox at the sender into that table: {big(middle["outbox"])} signals/s
            ({times(middle["outbox"] / middle["raw"])}). The peer is a DEALER and a ROUTER behind CURVE with
            the same bytes: it looks into nothing, stores nothing and acknowledges nothing but the end.
            """
        ),
        numbers={"signals_a_second": middle, "rounds": rates, **sizes},
    )


def _round(mode: str, count: int) -> dict[str, Any]:
    """One sender and one receiver, in processes and files of their own."""
    with TemporaryDirectory(dir=WORK) as name:
        folder = Path(name)
        keys = load_or_create(folder, "sender")
        receiver = subprocess.Popen(
            module(
                "benchmarks.ends.receiver",
                mode if mode in {"raw", "intake"} else "durable",
                name,
                keys.public,
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with receiver:
            assert receiver.stdin and receiver.stdout
            endpoint, public = receiver.stdout.readline().split()
            done = subprocess.run(
                module("benchmarks.ends.sender", mode, endpoint, public, name, str(count)),
                stdout=subprocess.PIPE,
                text=True,
                check=False,
                timeout=300,
            )
            receiver.stdin.close()
        if done.returncode:
            raise RuntimeError(f"the sending end ({mode}) failed, see above")
        found: dict[str, Any] = json.loads(done.stdout)
        return found
