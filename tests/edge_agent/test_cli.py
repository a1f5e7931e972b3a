"""What goes wrong at the command line is one clear line that says what to do, and a fitting exit code."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge_agent.leaving.hub_link import OWN
from edge_agent.paths import AgentFolder
from edge_agent.settings import hub_file, load_settings
from edge_agent.store.disclosures import disclose
from edge_agent.store.schema import MIGRATIONS
from shared.link.keys import KeyPair, fingerprint, pairs
from shared.link.peer_file import Peer
from shared.serving import loopback_socket
from shared.storage import LARGE_PAGE, FolderLock, Writer, reader
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
        assert secret.stat().st_mode & 0o077 == 0 or secret.suffix in {".pub", ".public"}
    assert_refused(agent(*words), 2, "exists already")


@pytest.mark.parametrize(
    ("school", "timezone", "port", "says"),
    [
        ("S", "Mars/Olympus", "8100", "unknown time zone"),
        ("S", "", "8100", "unknown time zone"),
        ("S", "Europe/Zurich", "0", "--port"),
        ("S", "Europe/Zurich", "65536", "--port"),
        ("", "Europe/Zurich", "8100", "school's name"),
        (" ", "Europe/Zurich", "8100", "school's name"),
        ("x" * 121, "Europe/Zurich", "8100", "school's name"),
        ("two\nlines", "Europe/Zurich", "8100", "school's name"),
    ],
)
def test_init_refuses_a_value_before_it_touches_the_disk(
    tmp_path: Path, school: str, timezone: str, port: str, says: str
) -> None:
    words = ("init", str(tmp_path / "a"), "--school", school, "--timezone", timezone, "--port", port)
    assert_refused(agent(*words), 2, says)
    assert list(tmp_path.iterdir()) == []


def test_init_finishes_a_folder_that_an_interrupted_one_left(tmp_path: Path) -> None:
    words = ("init", str(tmp_path / "a"), "--school", " Nord ", "--timezone", "Europe/Zurich")
    assert agent(*words).returncode == 0
    folder = AgentFolder(tmp_path / "a")
    secrets = {path.name: path.read_bytes() for path in folder.secrets.iterdir()}
    folder.settings.unlink()
    assert agent(*words).returncode == 0
    assert load_settings(folder).school == "Nord"
    assert {path.name: path.read_bytes() for path in folder.secrets.iterdir()} == secrets


@pytest.mark.parametrize("below", [".", "deeper"])
def test_init_where_a_file_is_says_to_choose_another_folder(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    words = ("init", str(file / below), "--school", "S", "--timezone", "Europe/Zurich")
    assert_refused(agent(*words), 2, "choose another folder")
    assert file.read_text() == "mine"


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
    later = (date.today() + timedelta(days=30)).isoformat()
    assert_refused(agent("share", str(folder), "nonsense", "--until", later), 2, "agent classes")
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


def test_an_agent_that_does_not_run_still_says_its_fingerprints(folder: Path) -> None:
    with (folder / "agent.toml").open("a") as file:
        held = loopback_socket(0)
        file.write(f"[page]\nport = {held.getsockname()[1]}\n")
        held.close()
    said = agent("status", str(folder))
    (own,) = pairs(AgentFolder(folder).secrets, OWN)
    assert f"this agent: {fingerprint(own.public)}" in said.stdout and said.returncode == 1
    assert "hub" not in said.stdout


def test_a_new_key_that_waits_is_told(folder: Path) -> None:
    next_hub = KeyPair.new().public
    hub_file(AgentFolder(folder)).write(Peer("tcp://127.0.0.1:5710", KeyPair.new().public, next_hub))
    assert agent("rotate-key", str(folder)).returncode == 0
    with something_else(folder, http(b'{"school": "Test School", "working": "ok"}')):
        said = agent("status", str(folder)).stdout
    _, following = pairs(AgentFolder(folder).secrets, OWN)
    assert f"A new key of this agent waits until the hub answers: {fingerprint(following.public)}" in said
    assert f"waits until the hub uses it: {fingerprint(next_hub)}" in said


def test_status_prints_every_step_and_every_source(folder: Path) -> None:
    state: dict[str, Any] = {
        "school": "Test School",
        "working": "First.",
        "next_steps": ["First.", "Second.", "Third."],
    }
    source = {"kind": "pihole", "id": "annex", "state": "revoked: what it sent stays", "signals": 7}
    state |= {"sources": [source], "signals": 12}
    with something_else(folder, http(json.dumps(state).encode())):
        said = agent("status", str(folder)).stdout
    assert said.startswith("Test School: First.\nThen: Second.\nThen: Third.\n")
    assert "Source annex (pihole): revoked: what it sent stays; no line yet, 7 signals" in said
    assert "12 signals" in said, "the store's total, not that of the sources that are left"


def test_rejected_without_a_word_lists_them(folder: Path) -> None:
    Writer(folder / "agent.db", MIGRATIONS).close()
    done = agent("rejected", str(folder))
    assert (done.returncode, done.stdout) == (0, "The district refused no record.\n"), done.stderr


def test_a_budget_of_nothing_is_said_in_words(folder: Path) -> None:
    with (folder / "agent.toml").open("a") as file:
        file.write("[disk]\nsignals_mib = 0\n")
    assert_refused(agent("run", str(folder)), 1, "`disk.signals_mib` must be 1 or more")


def a_class(folder: Path) -> str:
    """The code of the school's one class."""
    (row,) = json.loads(agent("classes", str(folder), "--json").stdout)
    return str(row["code"])


def test_a_class_is_not_shared_until_a_day_that_is_over(folder: Path) -> None:
    code = a_class(folder)
    over = (date.today() - timedelta(days=2)).isoformat()
    assert_refused(agent("share", str(folder), code, "--until", over), 2, f"{over} is over, today is")
    (row,) = json.loads(agent("classes", str(folder), "--json").stdout)
    assert row["shared_until"] is None


def test_what_day_it_is_the_school_says_or_the_clock_of_its_simulation(folder: Path) -> None:
    evening = datetime(2026, 9, 14, 23, 30, tzinfo=UTC).timestamp()  # in Zurich it is the 15th
    clock = {"simulated": evening, "real": time.time(), "rate": 0}
    (folder / "clock.json").write_text(json.dumps(clock))
    with (folder / "agent.toml").open("a") as file:
        file.write('[clock]\nfile = "clock.json"\n')
    code = a_class(folder)
    done = agent("share", str(folder), code, "--until", "2026-09-14")
    assert_refused(done, 2, "2026-09-14 is over, today is 2026-09-15")
    assert agent("share", str(folder), code, "--until", "2026-09-15").returncode == 0


def test_what_left_is_listed_for_programs_too(folder: Path) -> None:
    assert_refused(agent("disclosures", str(folder), "--json"), 1, "has not run yet")
    writer = Writer(folder / "agent.db", MIGRATIONS)
    empty = agent("disclosures", str(folder), "--json", "--verify")
    assert json.loads(empty.stdout) == {"entries": [], "chain": {"unbroken": True, "breaks_at": None}}
    for number in (1, 2):
        writer.run(partial(disclose, at="2026-09-14", kind="week", number=number, payload=b"{}"))
    writer.close()
    listed = json.loads(agent("disclosures", str(folder), "--json").stdout)
    rows = [(row["seq"], row["kind"], row["bytes"]) for row in listed["entries"]]
    assert rows == [(1, "week", 2), (2, "week", 2)]
    assert "chain" not in listed
    with sqlite3.connect(folder / "agent.db") as connection:
        connection.execute("UPDATE disclosures SET at = '2026-09-13' WHERE seq = 1")
    connection.close()
    broken = agent("disclosures", str(folder), "--json", "--verify")
    assert_refused(broken, 1, "breaks at entry 1")
    assert json.loads(broken.stdout)["chain"] == {"unbroken": False, "breaks_at": 1}


@contextmanager
def something_else(folder: Path, says: bytes) -> Iterator[None]:
    """Another program on the agent's port, with one answer."""
    listener = loopback_socket(0)
    with (folder / "agent.toml").open("a") as file:
        file.write(f"[page]\nport = {listener.getsockname()[1]}\n")

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            asked = b""
            while not asked.endswith(b"\r\n\r\n"):
                asked += connection.recv(4096)
            connection.sendall(says)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        listener.close()


def http(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (http(b"<html>hello</html>"), "is no agent of this version"),
        (http(b""), "is no agent of this version"),
        (http(b"\xff\xfe"), "is no agent of this version"),
        (http(b"[1, 2]"), "is no agent of this version"),
        (http(b'{"status": "ok"}'), "is no agent of this version"),
        (http(b'{"school": "Test School", "windows": 3}'), "is no agent of this version"),
        (http(b"[" * 100_000), "is no agent of this version"),
        (http(b"oh no", "500 Internal Server Error"), "is no agent of this version"),
        (http(b"{}", "404 Not Found"), "is no agent of this version"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "is no agent of this version"),
        (http(b"{}")[:-1], "is no agent of this version"),
        (http(b'{"school": "Another School"}'), "answers for another folder"),
    ],
)
def test_status_knows_that_something_else_answers_on_the_port(folder: Path, says: bytes, told: str) -> None:
    with something_else(folder, says):
        done = agent("status", str(folder))
    assert_refused(done, 1, told)


def test_status_asks_this_machine_whatever_proxy_is_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    state = http(b'{"school": "Test School", "working": "ok", "refused": {"future": 4}}')
    with something_else(folder, state):
        done = agent("status", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Test School: ok\n") and "future" in done.stdout


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["words", "json"])
def test_status_shows_the_fingerprints_of_both_ends_once_it_has_joined(
    folder: Path, words: tuple[str, ...]
) -> None:
    hub = KeyPair.new().public
    hub_file(AgentFolder(folder)).write(Peer("tcp://127.0.0.1:5710", hub))
    with something_else(folder, http(b'{"school": "Test School", "working": "ok"}')):
        said = agent("status", str(folder), *words).stdout
    (own,) = pairs(AgentFolder(folder).secrets, OWN)
    shown = {"agent": fingerprint(own.public), "hub": fingerprint(hub)}
    if words:
        assert json.loads(said)["fingerprints"] == shown
    else:
        assert f"this agent: {shown['agent']}" in said and f"the district's hub: {shown['hub']}" in said


def test_a_file_made_by_a_command_is_as_the_agent_would_make_it(folder: Path) -> None:
    assert agent("classes", str(folder)).returncode == 0
    connection = reader(AgentFolder(folder).database)
    assert connection.execute("PRAGMA page_size").fetchone()[0] == LARGE_PAGE
    connection.close()


def test_what_a_command_logs_is_at_the_schools_time(folder: Path) -> None:
    (folder / "clock.json").write_text(json.dumps({"simulated": 1_789_000_000, "real": 0, "rate": 0}))
    with (folder / "agent.toml").open("a") as settings:
        settings.write('\n[clock]\nfile = "clock.json"\n')
    (row,) = json.loads(agent("classes", str(folder), "--json").stdout)
    assert agent("share", str(folder), row["code"], "--until", "2026-12-01").returncode == 0
    assert agent("unshare", str(folder), row["code"]).returncode == 0
    connection = reader(AgentFolder(folder).database)
    found = {at for (at,) in connection.execute("SELECT at FROM sharing_log")}
    connection.close()
    assert found == {"2026-09-10T00:26:40+00:00"}
