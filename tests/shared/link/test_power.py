"""Power cuts: whatever of the unsynced writes survives, what was acknowledged is on the disk, once.

A real receiver and a real sender work over loopback while every write, sync, truncation and change of names
in their folders is recorded in one order. Each example then cuts the power of both machines at a random
record, builds the disks that may be left (`recording` states what is assumed of them: above all that a sync
is honest), and opens them with the real code.

A failure: a file that does not open or is not whole; a batch acknowledged before the cut that is not there;
one that is there twice; one accepted before the cut that the sender cannot send again though the receiver
lacks it; and, when both go on from those disks, any batch that does not count exactly once.
What is not deterministic: how the two processes' writes interleave, and so what is recorded.
"""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from shared.link import outbox
from shared.link.keys import load_or_create
from shared.storage import connect, migrate
from tests.shared.link import recording
from tests.shared.link.power_process import item
from tests.shared.link.recording import Disk, Record
from tests.shared.link.site import MIGRATIONS
from tests.shared.link.world import DiskFeed, Network, ReceiverHost, SenderHost, settle_down

TOTAL: Final = 600
CUTS: Final = 150
ROOT: Final = Path(__file__).parents[3]
SOURCE: Final = Path(__file__).with_name("recorder.c")

needs_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc here: power cuts not tested")


@dataclass(frozen=True)
class Run:
    """What happened in the two folders, in order."""

    records: list[Record]
    sender: Path
    receiver: Path


def _start(recorder: Path, base: Path, role: str, *arguments: object) -> "subprocess.Popen[str]":
    folder = base / role
    folder.mkdir()
    traced = {"LD_PRELOAD": str(recorder), "RECORD_FOLDER": str(base), "RECORD_LOG": str(base.parent / "log")}
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.shared.link.power_process",
            role,
            folder,
            base.parent,
            *map(str, arguments),
        ],
        cwd=ROOT,
        env=os.environ | traced,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().strip()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Both processes at work, until everything is acknowledged."""
    place = tmp_path_factory.mktemp("power")
    base = place / "disks"
    base.mkdir()
    recorder = place / "recorder.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", recorder, SOURCE, "-ldl"], check=True)
    publics = {name: load_or_create(place, name).public for name in ("sender", "receiver")}
    with ExitStack() as ending:
        receiver = ending.enter_context(_start(recorder, base, "receive", publics["sender"]))
        ending.callback(receiver.kill)
        endpoint = _line(receiver)
        sender = ending.enter_context(_start(recorder, base, "send", endpoint, publics["receiver"], TOTAL))
        ending.callback(sender.kill)
        assert _line(sender) == "done"
        for process in (sender, receiver):
            process.communicate(timeout=30)
            assert process.returncode == 0
    yield Run(recording.read(place / "log"), base / "send", base / "receive")


@needs_compiler
def test_the_record_is_of_a_run_with_everything_in_it(run: Run) -> None:
    for folder in (run.sender, run.receiver):
        done = {
            (record.op, Path(record.path).suffix)
            for record in run.records
            if record.path.startswith(str(folder))
        }
        assert {("w", ".db"), ("w", ".db-wal"), ("s", ".db-wal"), ("t", ".db-wal"), ("u", ".db-wal")} <= done
    assert _noted(run.records, "acknowledged") == TOTAL


@needs_compiler
def test_after_a_power_cut_all_that_was_acknowledged_is_there_once(run: Run, tmp_path: Path) -> None:
    rng = random.Random(30)
    disks = Disk(run.sender), Disk(run.receiver)
    played = 0
    for cut in sorted(rng.randrange(len(run.records) + 1) for _ in range(CUTS)):
        for disk in disks:
            disk.play(run.records[played:cut])
        played = cut
        for name, disk in zip(("send", "receive"), disks, strict=True):
            disk.after_cut(tmp_path / name, rng)
        _check(run.records[:cut], tmp_path / "send" / "sender.db", tmp_path / "receive" / "receiver.db")
        for name in ("send", "receive"):
            shutil.rmtree(tmp_path / name)


def _noted(records: list[Record], what: str) -> int:
    notes = [record.data.split() for record in records if record.path.endswith("/notes") and record.op == "w"]
    return max((int(number) for word, number in notes if word == what.encode()), default=0)


def _check(before: list[Record], sender_file: Path, receiver_file: Path) -> None:
    accepted, acknowledged = _noted(before, "accepted"), _noted(before, "acknowledged")
    sender_disk, receiver_disk = connect(sender_file), connect(receiver_file)
    try:
        migrate(sender_disk, [outbox.create_tables])
        migrate(receiver_disk, MIGRATIONS)
        for disk in (sender_disk, receiver_disk):
            assert disk.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        right = ReceiverHost(random.Random(1), disk=receiver_disk)
        there = right.histogram()
        assert set(there.values()) <= {1}
        assert {item(number) for number in range(1, acknowledged + 1)} <= there.keys()
        kept = dict(
            sender_disk.execute("SELECT number, payload FROM outbox WHERE state IN ('pending', 'sent')")
        )
        assert all(kept.get(number) == item(number) for number in range(1, accepted + 1))
        left = SenderHost(DiskFeed(sender_disk, lambda: 1), random.Random(2))
        settle_down(Network(random.Random(3)), left, right)
        assert right.histogram() == dict.fromkeys(kept.values(), 1)
        assert outbox.counts(sender_disk).pending == 0
    finally:
        sender_disk.close()
        receiver_disk.close()


@needs_compiler
def test_a_disk_that_lies_about_its_syncs_would_be_noticed(run: Run, tmp_path: Path) -> None:
    """The same cuts without the syncs of the write-ahead log must fail: the test can."""
    rng = random.Random(31)
    lying = [record for record in run.records if not (record.op == "s" and record.path.endswith("-wal"))]
    failed = 0
    for turn in range(20):
        cut = rng.randrange(len(lying) // 4, len(lying))
        for name, folder in (("sender", run.sender), ("receiver", run.receiver)):
            disk = Disk(folder)
            disk.play(lying[:cut])
            disk.after_cut(tmp_path / f"{turn}{name}", rng)
        try:
            _check(
                lying[:cut],
                tmp_path / f"{turn}sender" / "sender.db",
                tmp_path / f"{turn}receiver" / "receiver.db",
            )
        except Exception:  # noqa: BLE001 - whatever a broken file leads to
            failed += 1
    assert failed > 0
