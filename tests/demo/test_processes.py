"""Children end with the driver, whatever they do, and say why if they end by themselves."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo import processes
from demo.layout import Layout, held
from demo.ports import LOOPBACK, choose, is_free, need_free
from demo.processes import Children, Commands
from demo.state import SchoolState, State, load_state, save_state
from demo.stop import StopFlag, Stopped
from shared.errors import BusyError, CommonGroundError, SettingsError

LOOP = "import time\nprint('up', flush=True)\nwhile True: time.sleep(0.05)"
DEAF = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{LOOP}"


@pytest.fixture
def children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Children:
    """Children that run Python code instead of `commonground` commands."""
    monkeypatch.setattr(processes, "_line", lambda *args: [sys.executable, "-c", *args])
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.5)
    return Children(tmp_path / "logs")


def _until_up(children: Children, name: str) -> None:
    end = time.monotonic() + 20
    while "up" not in children.log(name).read_text():
        assert time.monotonic() < end
        time.sleep(0.02)  # polls for what the child prints


def _pid(children: Children, name: str) -> int:
    return children.running[name].pid


def _is_gone(pid: int) -> bool:
    """Whether the process has ended, waited for or not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


def test_a_child_that_ignores_the_request_to_end_is_killed(children: Children) -> None:
    children.start("polite", LOOP)
    children.start("deaf", DEAF)
    for name in ("polite", "deaf"):
        _until_up(children, name)
    pids = [_pid(children, name) for name in ("polite", "deaf")]
    children.check()
    children.stop()
    assert all(_is_gone(pid) for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not tell a child of its parent's end")
def test_a_driver_that_is_killed_outright_leaves_no_orphan(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from demo import processes\n"
        "processes._line = lambda *args: [sys.executable, '-c', *args]\n"
        "children = processes.Children(Path(sys.argv[1])); children.start('child', sys.argv[2])\n"
        "print(children.running['child'].pid, flush=True); time.sleep(60)"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), LOOP], stdout=subprocess.PIPE, text=True
    )
    with driver:
        assert driver.stdout is not None
        pid = int(driver.stdout.readline())
        driver.kill()
    end = time.monotonic() + 20
    while not _is_gone(pid):
        assert time.monotonic() < end
        time.sleep(0.02)  # polls for the child's end


def test_a_child_that_ends_by_itself_is_named_with_its_last_words_and_its_log(children: Children) -> None:
    children.start("short", "print('port 1 is taken'); raise SystemExit(1)")
    children.running["short"].wait(20)
    with pytest.raises(
        CommonGroundError, match=r"short ended by itself \(exit 1\): port 1 is taken .*short.log"
    ):
        children.check()
    children.stop()


def test_a_ctrl_c_at_the_terminal_reaches_children_only_through_the_driver(children: Children) -> None:
    children.start("child", LOOP)
    _until_up(children, "child")
    assert os.getpgid(_pid(children, "child")) != os.getpgid(0)
    children.stop()


def test_a_command_that_fails_tells_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_line", lambda *args: [sys.executable, "-c", args[-1]])
    commands = Commands(lambda: None)
    assert commands.run("agent", "init", "print(input())", stdin="token\n") == "token\n"
    with pytest.raises(CommonGroundError, match="`commonground agent init` failed: error: no such school"):
        commands.run("agent", "init", "raise SystemExit('error: no such school')")


def test_no_further_command_starts_once_the_demo_must_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_line", lambda *args: [sys.executable, "-c", args[-1]])
    with StopFlag() as stop:
        commands = Commands(stop.check)
        assert commands.run("print('done')") == "done\n"
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped):
            commands.run("print('done')")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_next_wait(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with StopFlag() as stop:
        stop.pause(0.01)
        os.kill(os.getpid(), number)
        with pytest.raises(Stopped):
            stop.pause(30)
        assert stop.signal == number
    assert signal.getsignal(number) is before


def test_a_folder_belongs_to_one_demo_at_a_time(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from demo.layout import Layout, held\n"
        "with held(Layout(Path(sys.argv[1]))): print('up', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "up\n"
        with pytest.raises(BusyError, match="already runs"), held(Layout(tmp_path)):
            pass
        other.communicate()
    with held(Layout(tmp_path)):
        pass


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="choose another --dir"), held(Layout(tmp_path / "file" / "demo")):
        pass


def test_ports_are_kept_while_they_are_free_and_never_given_twice() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        busy = taken.getsockname()[1]
        first = choose(["a", "b", "c"], {"a": busy}, avoid=[8000])
        assert first["a"] != busy
        assert len(set(first.values())) == 3
        assert choose(["a", "b", "c"], first, avoid=[8000]) == first
        assert choose(["a"], first, avoid=[first["a"]])["a"] != first["a"]
        assert not is_free(busy)
        with pytest.raises(BusyError, match=f"port {busy} is in use"):
            need_free(busy)


def test_the_state_reads_back_and_a_broken_one_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert load_state(path) is None
    state = State(7, 1_789_000_000, 0, {"hub": 1}, {"alder": SchoolState(shared=["abc"], log_bytes=5)})
    save_state(path, state)
    assert load_state(path) == state
    path.write_text("{")
    with pytest.raises(SettingsError, match="start anew"):
        load_state(path)
