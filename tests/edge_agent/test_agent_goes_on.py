"""Whatever one step of a running agent meets, the others are done; what cannot be undone waits."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_agent import agent as module
from edge_agent.agent import Agent
from edge_agent.leaving.hub_link import OWN
from edge_agent.settings import hub_file
from shared.errors import BadInput, SettingsError
from shared.link import keys
from shared.link.keys import KeyPair
from shared.link.outbox import OutboxFull
from shared.link.peer_file import Peer
from tests.edge_agent.backpressure import DURING, RunningAgent, leases, look_ups
from tests.hub.agents import until

YEAR = 365 * 86400.0
LINES = 500
LOOPS = 20


class WrongClock:
    """The machine's clock, as a test sets it; counts how often it was read."""

    def __init__(self) -> None:
        self.moment = DURING
        self.read = 0

    def now(self) -> float:
        self.read += 1
        return self.moment


@pytest.fixture
def school(tmp_path: Path) -> RunningAgent:
    found = RunningAgent(tmp_path / "school", tmp_path / "log", "free_mib = 1")
    found.log.write_text(leases() + look_ups(0, LINES))
    found.set_clock(DURING)
    return found


@contextmanager
def on_the_machines_clock(
    school: RunningAgent, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Agent, WrongClock]]:
    """An agent without a simulated clock, on a machine whose own clock does as it likes."""
    text = school.folder.settings.read_text()
    school.folder.settings.write_text(text.replace('[clock]\nfile = "clock.json"', ""))
    clock = WrongClock()
    monkeypatch.setattr(module, "make_clock", lambda folder, settings: clock)
    agent = Agent(school.folder.root)
    assert agent.settings.clock is None
    thread = threading.Thread(target=agent.run)
    thread.start()
    try:
        yield agent, clock
    finally:
        agent.stop()
        thread.join()


def test_a_clock_a_year_ahead_destroys_and_ends_nothing_and_the_day_goes_on_after_it(
    school: RunningAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_the_machines_clock(school, monkeypatch) as (agent, clock):
        until(lambda: school.source()["state"] == "up to date")
        made = sorted(school.folder.day_keys.glob("*.key"))
        before = school.status()
        assert made and before["signals"] == LINES and before["windows"]["closed"] == 0

        clock.moment = DURING + YEAR
        until(lambda: "leapt ahead" in school.status()["working"])
        read = clock.read
        until(lambda: clock.read > read + LOOPS)
        assert agent.settled < DURING + 1
        assert set(made) <= set(school.folder.day_keys.glob("*.key"))
        assert school.status()["windows"]["closed"] == 0

        clock.moment = DURING + 3 * 3600
        until(lambda: school.status()["windows"]["closed"] > 0)
        status = school.status()
        assert "leapt" not in status["working"] and status["signals"] == LINES and status["late"] == 0


def test_a_next_key_that_cannot_be_used_stops_no_lesson_and_is_taken_up_once_it_can(
    school: RunningAgent,
) -> None:
    hub_file(school.folder).write(Peer("tcp://127.0.0.1:9", KeyPair.new().public))
    keys.make_next(school.folder.secrets, OWN)
    path = school.folder.secrets / "agent.next.key"
    path.chmod(0o644)
    with school.running():
        until(lambda: "new key cannot be used" in school.status()["working"])
        school.set_clock(DURING + 3 * 3600)
        until(lambda: school.status()["windows"]["closed"] > 0)
        path.chmod(0o600)
        until(lambda: not any("new key" in step for step in school.status()["next_steps"]))


@pytest.mark.parametrize(
    "error",
    [
        SettingsError("agent.next.key can be read by others"),
        BadInput("too_many_sources"),
        OutboxFull("no room"),
        PermissionError("not yours"),
        sqlite3.OperationalError("disk is full"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_step_that_fails_says_so_and_does_not_end_the_agent(school: RunningAgent, error: Exception) -> None:
    agent = Agent(school.folder.root)

    def fails(now: float) -> None:
        raise error

    step: Callable[[float], None] = fails
    assert str(error) in agent._attempt(step, DURING)
    assert agent._attempt(lambda now: None, DURING) == ""
