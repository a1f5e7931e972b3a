"""Whatever goes wrong, the front door says it in one line; only a fault of the program has a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

ROOT = Path(__file__).parent.parent
Done = subprocess.CompletedProcess[str]

WITH_A_ROOM = """
import commonground
commonground.ROOMS = {"room": ("a_room", "")}
commonground.main()
"""
A_ROOM = """
import sys
import typer

app = typer.Typer(pretty_exceptions_enable=False)

@app.command()
def room(how: str) -> None:
    canary = "-".join(["canary", "of", "a", "child"])
    if how == "fault":
        assert len(canary) == 0
    if how == "abort":
        raise typer.Abort
    if how == "interrupt":
        raise KeyboardInterrupt
    raise typer.Exit(int(how))
"""


def call(*words: str | Path, stdin: str = "") -> Done:
    command = [sys.executable, "-m", "commonground", *map(str, words)]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )


def call_room(tmp_path: Path, how: str) -> Done:
    """A room whose command ends in the way asked for."""
    (tmp_path / "a_room.py").write_text(A_ROOM)
    path = os.pathsep.join((str(ROOT), str(tmp_path)))
    return subprocess.run(
        [sys.executable, "-c", WITH_A_ROOM, "room", how],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": path},
    )


def assert_one_line(done: Done, code: int, says: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
    assert says in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("agent init", "Missing argument 'DIR'; `commonground agent init --help`"),
        ("agent share DIR CODE", "Missing option '--until'"),
        ("agent replay DIR LOG --source dnsmasq --out O --year never", "--year"),
        ("agent replai", "Did you mean 'replay'? `commonground agent --help`"),
        ("hub init DIR --district North --port 70000", "--port"),
        ("hub --nonsense", "No such option: --nonsense"),
        ("models show", "Missing argument"),
        ("models list too much", "unexpected extra argument"),
        ("demo --days 0", "--days"),
        ("demo --speed fast", "--speed"),
        ("agemt run", "did you mean `agent`?"),
        ("nonsense", "known: agent, collect, hub, models, demo"),
    ],
)
def test_wrong_usage_of_any_room_is_one_line_and_exit_code_two(words: str, says: str) -> None:
    assert_one_line(call(*words.split()), 2, says)


@pytest.mark.parametrize("words", ["agent --help", "hub init --help", "models --help", "demo --help"])
def test_help_is_laid_out_for_people_and_no_error(words: str) -> None:
    done = call(*words.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: commonground" in done.stdout and "╭─ Options" in done.stdout


def test_a_room_without_a_word_shows_its_help() -> None:
    done = call("agent")
    assert (done.returncode, done.stderr) == (2, "")
    assert "replay" in done.stdout


def test_the_house_lists_its_rooms() -> None:
    done = call("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(room in done.stdout for room in ("agent", "hub", "models", "demo"))


@pytest.mark.parametrize("code", [0, 1, 3, 143])
def test_the_exit_code_of_a_command_is_that_of_the_program(tmp_path: Path, code: int) -> None:
    done = call_room(tmp_path, str(code))
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_an_interrupted_command_says_nothing_and_an_aborted_one_says_so(tmp_path: Path) -> None:
    interrupted = call_room(tmp_path, "interrupt")
    assert (interrupted.returncode, interrupted.stderr) == (130, "")
    assert_one_line(call_room(tmp_path, "abort"), 1, "aborted")


def test_a_fault_of_the_program_has_a_traceback_without_what_its_variables_hold(tmp_path: Path) -> None:
    done = call_room(tmp_path, "fault")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback") and "AssertionError" in done.stderr
    assert "a_room.py" in done.stderr
    assert "canary-of-a-child" not in done.stderr


def test_a_database_that_is_none_is_one_line(tmp_path: Path) -> None:
    folder = make_school(tmp_path / "school", SchoolSpec([ClassSpec("c1", "t1", learners(2))]))
    folder.database.write_bytes(b"this is no database " * 100)
    assert_one_line(call("agent", "classes", folder.root), 1, "restore it from a backup")
    assert_one_line(call("agent", "disclosures", folder.root), 1, "restore it from a backup")
    hub = tmp_path / "hub"
    assert call("hub", "init", hub, "--district", "North").returncode == 0
    (hub / "hub.db").write_bytes(b"this is no database " * 100)
    assert_one_line(call("hub", "schools", hub), 1, "restore it from a backup")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    folder = make_school(tmp_path / "school", SchoolSpec([ClassSpec("c1", "t1", learners(12))]))
    log = tmp_path / "log"
    lines = [
        f"Sep 14 08:55:00 dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad\n"
        f"Sep 14 09:05:00 dnsmasq[9]: query[A] padlet.com from 10.0.0.{i}\n"
        for i, person in enumerate(learners(12), start=1)
    ]
    log.write_text("".join(lines))
    words = ("--source", "dnsmasq", "--year", "2026", "--out", "/dev/full")
    assert_one_line(call("agent", "replay", folder.root, log, *words), 1, "No space left on device; check")


def test_a_folder_in_the_way_of_a_file_is_one_line(tmp_path: Path) -> None:
    folder = make_school(tmp_path / "school", SchoolSpec([ClassSpec("c1", "t1", learners(2))]))
    (folder.root / "lock").mkdir()
    assert_one_line(call("agent", "run", folder.root), 1, "lock: Is a directory; check")


def test_an_invitation_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    folder = make_school(tmp_path / "school", SchoolSpec([ClassSpec("c1", "t1", learners(2))]))
    token = tmp_path / "token"
    token.write_bytes(b"\xff\xfe\x00")
    assert_one_line(call("agent", "join", folder.root, token), 2, "cannot be read")
    assert_one_line(call("agent", "join", folder.root, "-", stdin="nonsense"), 2, "not an invitation")
