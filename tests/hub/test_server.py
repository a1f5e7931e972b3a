"""One hub a folder and a port; it serves this machine only, guards its answers and stops at once."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from hub import server
from hub.paths import Layout
from shared.errors import BusyError, SettingsError
from shared.storage import FolderLock

RUN = """
import sys
from pathlib import Path
from hub.paths import Layout
from hub.server import run
run(Layout(Path(sys.argv[1])), 0)
"""


def set_free_link(layout: Layout) -> None:
    """Let the link listen where nobody else does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = layout.settings.read_text()
    layout.settings.write_text(text.replace("tcp://127.0.0.1:5710", f"tcp://127.0.0.1:{port}"))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_running_hub_answers_and_stops_within_two_seconds(layout: Layout, how: signal.Signals) -> None:
    set_free_link(layout)
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(layout.folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert found, said
        assert httpx.get(f"{found[0]}healthz").json() == {"status": "ok"}
        began = time.monotonic()
        process.send_signal(how)
        assert process.wait(timeout=30) == 0
        assert time.monotonic() - began < 2
    FolderLock(layout.folder, "hub").release()


def test_a_fit_that_cannot_be_used_stops_the_hub_before_it_listens(layout: Layout) -> None:
    (layout.fits / "tim.json").write_text("{}")
    with pytest.raises(SettingsError, match=r"tim\.json is no fit") as refused:
        server.run(layout, 0)
    assert "\n" not in str(refused.value)
    FolderLock(layout.folder, "hub").release()


def test_a_second_hub_on_the_same_folder_is_refused_with_one_line(layout: Layout) -> None:
    held = FolderLock(layout.folder, "hub")
    with pytest.raises(BusyError, match="another hub") as refused:
        server.run(layout, 0)
    held.release()
    assert "\n" not in str(refused.value)


def test_a_taken_port_is_refused_before_anything_else_starts(layout: Layout) -> None:
    before = layout.database.stat().st_mtime_ns
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BusyError, match="--port") as refused:
            server.run(layout, taken.getsockname()[1])
    assert "\n" not in str(refused.value)
    assert layout.database.stat().st_mtime_ns == before
    assert not layout.database.with_name("hub.db-wal").exists()
    FolderLock(layout.folder, "hub").release()


def test_a_taken_link_is_refused_and_lets_the_folder_go(layout: Layout) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        text = layout.settings.read_text()
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        layout.settings.write_text(text.replace("tcp://127.0.0.1:5710", address))
        with pytest.raises(BusyError, match=re.escape(address)):
            server.run(layout, 0)
    FolderLock(layout.folder, "hub").release()


def test_a_folder_without_its_database_is_named(layout: Layout) -> None:
    layout.database.unlink()
    with pytest.raises(SettingsError, match=r"hub\.db is missing"):
        server.run(layout, 0)


def test_a_folder_that_is_no_hub_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"hub\.toml is missing"):
        server.run(Layout(tmp_path), 0)


def test_a_hub_that_nobody_can_call_does_not_run(layout: Layout) -> None:
    text = layout.settings.read_text()
    layout.settings.write_text(text.replace("tcp://127.0.0.1:5710", "tcp://0.0.0.0:5710"))
    with pytest.raises(SettingsError, match=r"public = ") as refused:
        server.run(layout, 0)
    assert "\n" not in str(refused.value)
    FolderLock(layout.folder, "hub").release()
