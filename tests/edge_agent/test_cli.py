"""What goes wrong at the command line is one clear line that says what to do, and a fitting exit code."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.serving import loopback_socket
from shared.storage import FolderLock
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school


def agent(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "commonground", "agent", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def assert_refused(done: "subprocess.CompletedProcess[str]", code: int, says: str) -> None:
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert done.stderr.startswith("error: ") and len(done.stderr.splitlines()) == 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_school(tmp_path / "school", SchoolSpec([ClassSpec("c1", "t1", learners(2))])).root


def test_init_writes_a_commented_file_that_loads_and_refuses_to_overwrite_it(tmp_path: Path) -> None:
    words = ("init", str(tmp_path / "a"), "--school", 'Schule "Nord"', "--timezone", "Europe/Zurich")
    done = agent(*words)
    assert done.returncode == 0 and "Next:" in done.stdout
    text = (tmp_path / "a" / "agent.toml").read_text()
    assert text.count("#") > 8
    assert (tmp_path / "a" / "secrets").stat().st_mode & 0o777 == 0o700
    for secret in (tmp_path / "a" / "secrets").iterdir():
        assert secret.stat().st_mode & 0o077 == 0 or secret.suffix == ".public"
    assert_refused(agent(*words), 2, "exists already")


def test_an_unknown_time_zone_is_refused(tmp_path: Path) -> None:
    done = agent("init", str(tmp_path / "a"), "--school", "S", "--timezone", "Mars/Olympus")
    assert_refused(done, 1, "unknown time zone")


def test_an_unknown_key_is_an_error_that_names_the_nearest_known_one(folder: Path) -> None:
    with (folder / "agent.toml").open("a") as file:
        file.write("rooster = 1\n")
    assert_refused(agent("run", str(folder)), 1, "unknown key `identity.rooster`; did you mean `roster`?")


def test_a_folder_without_settings_says_to_run_init(tmp_path: Path) -> None:
    assert_refused(agent("run", str(tmp_path)), 1, "run `init`")


def test_a_second_agent_on_the_same_folder_is_refused(folder: Path) -> None:
    lock = FolderLock(folder, "agent")
    try:
        assert_refused(agent("run", str(folder)), 1, "another agent")
    finally:
        lock.release()


def test_a_port_in_use_is_one_line(folder: Path) -> None:
    held = loopback_socket(0)
    try:
        with (folder / "agent.toml").open("a") as file:
            file.write(f"[page]\nport = {held.getsockname()[1]}\n")
        assert_refused(agent("run", str(folder)), 1, "port")
    finally:
        held.close()


def test_sharing_an_unknown_class_says_how_to_find_the_code(folder: Path) -> None:
    assert_refused(agent("share", str(folder), "nonsense", "--until", "2026-12-31"), 2, "agent classes")
    assert_refused(agent("share", str(folder), "nonsense", "--until", "soon"), 2, "YYYY-MM-DD")


def test_a_broken_invitation_is_refused_without_a_connection(folder: Path) -> None:
    token = folder / "token"
    token.write_text("this is no invitation")
    assert_refused(agent("join", str(folder), str(token)), 2, "")


def test_bad_usage_exits_with_two(folder: Path) -> None:
    assert agent("no-such-command").returncode == 2
    assert agent("replay", str(folder)).returncode == 2


def test_the_status_of_an_agent_that_does_not_run_says_how_to_start_it(folder: Path) -> None:
    with (folder / "agent.toml").open("a") as file:
        held = loopback_socket(0)
        file.write(f"[page]\nport = {held.getsockname()[1]}\n")
        held.close()
    assert_refused(agent("status", str(folder)), 1, "agent run")
