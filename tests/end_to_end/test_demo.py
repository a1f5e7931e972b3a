"""The demo shows the whole main job on real parts: headless, resumed, live, and ended by Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.driver import SEED
from demo.school import build_schools
from demo.setup import MODELS
from models.integration.load import load_model
from tests.end_to_end.town import free_ports

KEYS = ["schools", "lessons", "signals", "records", "placements", "seconds"]


def demo(folder: Path, *words: str) -> dict[str, Any]:
    """Run the demo headless; the JSON of its last line."""
    command = [sys.executable, "-m", "commonground", "demo", "--dir", str(folder), "--once", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def running(folder: Path) -> list[str]:
    """Command lines of processes that work on this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in words:
            found.append(words)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(folder: Path) -> dict[str, Any]:
    (port,) = free_ports(1)
    return demo(folder, "--days", "1", "--port", str(port))


@pytest.fixture(scope="module")
def second(folder: Path, first: dict[str, Any]) -> dict[str, Any]:
    return demo(folder, "--days", "2")


def test_once_replays_the_days_and_ends_with_one_line_of_json(first: dict[str, Any]) -> None:
    assert list(first) == KEYS
    assert first["schools"] == 3
    assert first["lessons"] > 30 and first["signals"] > 5000
    assert 0 < first["records"] < first["lessons"], "shared classes leave as lessons, the others do not"
    verdicts = first["placements"]
    assert verdicts["placed"] == verdicts["thin"] == 0, "nothing is calibrated, so nothing is placed"
    models = [load_model(name) for name in tomllib.loads(f"all = {MODELS}")["all"]]
    dimensions = sum(len(model.dimensions) for model in models if model.grain == "lesson")
    assert verdicts["evidence_only"] == first["lessons"] * dimensions


def test_a_second_run_goes_on_where_the_first_stopped(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert second["lessons"] > first["lessons"]
    assert second["records"] > first["records"]


def test_nothing_is_left_running(folder: Path, second: dict[str, Any]) -> None:
    assert second["schools"] == 3
    assert running(folder) == []


def test_no_person_and_no_device_of_the_schools_is_on_the_hub_or_in_a_log(
    folder: Path, second: dict[str, Any]
) -> None:
    assert second["records"] > 0
    canaries = {text.lower().encode() for school in build_schools(SEED) for text in school.canaries()}
    assert len(canaries) > 2000
    places = [path for part in ("hub", "logs") for path in (folder / part).rglob("*") if path.is_file()]
    together = b"\n".join(path.read_bytes() for path in places).lower()
    assert [text for text in canaries if text in together] == []


@pytest.fixture
def live(folder: Path, second: dict[str, Any]) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "commonground", "demo", "--dir", str(folder), "--days", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def address_of(process: "subprocess.Popen[str]") -> str:
    """The dashboard's address, once the demo prints it."""
    assert process.stdout is not None
    timer = threading.Timer(120, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            if "http://127.0.0.1" in line:
                return line[line.index("http://") :].split()[0]
    finally:
        timer.cancel()
    raise AssertionError("the demo ended without an address")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_goes_live_and_a_signal_ends_everything_within_five_seconds(
    live: "subprocess.Popen[str]", folder: Path, number: signal.Signals
) -> None:
    address = address_of(live)
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - loopback only
        assert "imulated" in answer.read().decode()
    assert len(running(folder)) >= 5, "the driver, a hub and three agents"
    began = time.monotonic()
    os.kill(live.pid, number)
    live.wait(timeout=10)
    assert time.monotonic() - began < 5
    assert running(folder) == []
