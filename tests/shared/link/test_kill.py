"""Two real processes, killed with SIGKILL again and again under load: each batch counts exactly once.

A failure here is a batch counted twice or never. Processes that end by themselves fail the test as well.
Where in its work a process is struck is not determined: only how much had arrived by then.
"""

import random
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from shared.link.keys import load_or_create
from shared.storage import reader
from tests.shared.link.site import histogram, until

TOTAL = 1200
KILLS = 5
ROOT = Path(__file__).parents[3]


class Process:
    """A helper program that says one line when it is ready."""

    def __init__(self, module: str, *arguments: object) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", f"tests.shared.link.{module}", *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def said(self) -> str:
        """Wait for its line."""
        assert self.child.stdout
        return self.child.stdout.readline().strip()

    def kill(self) -> None:
        """As a power cut would."""
        assert self.child.poll() is None, "it ended by itself"
        self.child.kill()
        self._reap()

    def end(self) -> int:
        """Ask it to end."""
        assert self.child.stdin
        self.child.stdin.close()
        return self._reap()

    def _reap(self) -> int:
        code = self.child.wait(20)
        for pipe in (self.child.stdin, self.child.stdout):
            assert pipe
            pipe.close()
        return code


def pending(path: Path) -> int:
    connection = reader(path)
    try:
        unread = TOTAL - connection.execute("SELECT read FROM source").fetchone()[0]
        unsent = connection.execute("SELECT count(*) FROM outbox WHERE state = 'pending'").fetchone()[0]
    finally:
        connection.close()
    return int(unread + unsent)


def test_kill_nine_under_load_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    rng = random.Random(20)
    arrived, accepted = tmp_path / "receiver.db", tmp_path / "sender.db"
    sender_public = load_or_create(tmp_path, "sender").public
    receiver_public = load_or_create(tmp_path, "receiver").public

    def start_receiver(address: str) -> Process:
        return Process("receiver_process", arrived, address, tmp_path, sender_public)

    def start_sender() -> Process:
        return Process("sender_process", accepted, endpoint, tmp_path, receiver_public, TOTAL)

    with ExitStack() as cleaning:
        receiver = start_receiver("tcp://127.0.0.1:*")
        endpoint = receiver.said()
        sender = start_sender()

        @cleaning.callback
        def leave_nobody_behind() -> None:
            receiver.child.kill()
            sender.child.kill()

        for struck in range(1, KILLS + 1):
            goal = TOTAL * struck // (KILLS + 2) + rng.randrange(60)
            until(lambda goal=goal: histogram(arrived).total() >= goal, f"{goal} arrived", 30)  # type: ignore[misc] # bound now
            if struck != 3:
                receiver.kill()
            if struck % 2:
                sender.kill()
                sender = start_sender()
            if struck != 3:
                receiver = start_receiver(endpoint)
                assert receiver.said() == endpoint
        until(lambda: pending(accepted) == 0, "everything is acknowledged", 30)
        assert (sender.end(), receiver.end()) == (0, 0)
        cleaning.pop_all()
    assert histogram(arrived) == {b"item %d" % i: 1 for i in range(TOTAL)}
