"""A hub and agents as real processes on loopback, driven by commands and seen through pages."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEADLINE = 60.0


def command(*words: str, text: str | None = None, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run `commonground ...` to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "commonground", *words],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done


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


def fetch(url: str) -> str:
    """The body of a page on this machine."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback only
        return str(answer.read().decode())


def until(claim: Callable[[], Any], what: str, deadline: float = DEADLINE) -> Any:
    """Wait for a condition of the real processes; what it gave, or an error that says what never came."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        try:
            if found := claim():
                return found
        except OSError:
            pass
        time.sleep(0.1)  # a poll interval, not a guess at how long something takes
    raise AssertionError(f"{what} did not come within {deadline:g} s")


class Process:
    """A running `commonground agent run` or `hub run`; its output goes to a file."""

    def __init__(self, log: Path, *words: str) -> None:
        self.log = log
        self._words = words
        self.start()

    def start(self) -> None:
        """Start (again)."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "commonground", *self._words],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def kill(self) -> None:
        """SIGKILL: no goodbye. It must have lived until then."""
        assert self._process.poll() is None, f"it ended by itself: {self.log.read_text()[-2000:]}"
        self._process.kill()
        self._process.wait(timeout=10)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=10)


class Town:
    """One hub and its schools in one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port, self._link = free_ports(2)
        self.hub_folder = root / "hub"
        link = f"tcp://127.0.0.1:{self._link}"
        command("hub", "init", str(self.hub_folder), "--district", "Test District", "--link", link)
        self._set_port(self.hub_folder / "hub.toml", self.port)
        self.clock = root / "clock.json"
        self.processes: list[Process] = []

    def set_clock(self, moment: float) -> None:
        """Let the simulated clock stand at `moment` (seconds UTC)."""
        temporary = self.clock.with_suffix(".new")
        temporary.write_text(json.dumps({"simulated": moment, "real": 0, "rate": 0}))
        temporary.replace(self.clock)

    def start_hub(self) -> Process:
        """Start the hub and wait for its pages."""
        process = Process(self.root / "hub.log", "hub", "run", str(self.hub_folder))
        self.processes.append(process)
        until(lambda: fetch(self.hub_url("/healthz")), "the hub")
        return process

    def join(self, folder: Path, name: str) -> None:
        """Invite the school and let its agent join; simulated, since its clock is."""
        token = command("hub", "invite", str(self.hub_folder), "--school", name, "--simulated").stdout
        command("agent", "join", str(folder), "-", text=token)

    def start_agent(self, folder: Path) -> Process:
        """Start an agent and wait for its page."""
        process = Process(self.root / f"{folder.name}.log", "agent", "run", str(folder))
        self.processes.append(process)
        until(lambda: fetch(self.agent_url(folder, "/status.json")), "the agent's page")
        return process

    def stop(self) -> None:
        """Stop everything."""
        for process in reversed(self.processes):
            process.stop()

    def hub_url(self, path: str) -> str:
        """A page of the hub."""
        return f"http://127.0.0.1:{self.port}{path}"

    def agent_url(self, folder: Path, path: str) -> str:
        """A page of an agent."""
        found = re.search(r"^\[page\]\s*\nport = (\d+)", (folder / "agent.toml").read_text(), re.M)
        assert found
        return f"http://127.0.0.1:{found[1]}{path}"

    def status(self, folder: Path) -> dict[str, Any]:
        """An agent's state."""
        found: dict[str, Any] = json.loads(fetch(self.agent_url(folder, "/status.json")))
        return found

    def caught_up(self, folder: Path, moment: float) -> dict[str, Any]:
        """Wait until the agent has done everything that was due at `moment`."""

        def done() -> dict[str, Any] | None:
            status = self.status(folder)
            return status if status["caught_up"] and status["now_epoch"] >= moment else None

        found: dict[str, Any] = until(done, f"{folder.name} caught up at {moment}")
        return found

    def _set_port(self, path: Path, port: int) -> None:
        text = path.read_text()
        changed = re.sub(r"^port = \d+", f"port = {port}", text, flags=re.M)
        assert changed != text or f"port = {port}" in text
        path.write_text(changed)
