"""Asks agents and hub how they are, and waits until they have caught up with the simulated clock."""

import http.client
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from demo.ports import LOOPBACK
from demo.processes import Children
from demo.stop import StopFlag
from shared.errors import CommonGroundError

READY_SECONDS: Final = 60.0
CAUGHT_UP_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Watched:
    """One process with a page: `name` is its child's, `title` what people call it."""

    name: str
    title: str
    port: int


def get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a page on this machine; (0, b"") while nobody answers."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def get_json(port: int, path: str) -> Any:
    """A page's JSON, or None while it has none."""
    status, body = get(port, path)
    try:
        return json.loads(body) if status == 200 else None
    except ValueError:
        return None


def wait_ready(watched: Watched, path: str, children: Children, stop: StopFlag) -> None:
    """Return once the page answers; raises CommonGroundError naming the process and its log."""
    end = time.monotonic() + READY_SECONDS
    while get(watched.port, path)[0] != 200:
        children.check()
        if time.monotonic() > end:
            raise CommonGroundError(
                f"{watched.title} did not answer within {READY_SECONDS:.0f} s:"
                f" see {children.log(watched.name)}"
            )
        stop.pause(_POLL_SECONDS)


def wait_caught_up(agents: Iterable[Watched], until: int, children: Children, stop: StopFlag) -> None:
    """Return once every agent has read, closed and delivered everything up to `until` (seconds UTC).

    Raises CommonGroundError naming the agent that did not within two minutes.
    """
    waiting = list(agents)
    end = time.monotonic() + CAUGHT_UP_SECONDS
    while waiting:
        statuses = {agent.name: get_json(agent.port, "/status.json") for agent in waiting}
        waiting = [agent for agent in waiting if not _caught_up(statuses[agent.name], until)]
        if not waiting:
            return
        children.check()
        if time.monotonic() > end:
            slow = waiting[0]
            raise CommonGroundError(
                f"the agent of {slow.title} did not catch up within {CAUGHT_UP_SECONDS:.0f} s"
                f" ({_brief(statuses[slow.name])}): see {children.log(slow.name)}"
            )
        stop.pause(_POLL_SECONDS)


def _caught_up(status: Any, until: int) -> bool:
    # The clock file holds a float: half a second stands for rounding.
    return isinstance(status, dict) and bool(status.get("caught_up")) and status["now_epoch"] >= until - 0.5


def _brief(status: Any) -> str:
    if not isinstance(status, dict):
        return "its page does not answer"
    return ", ".join(f"{key} {status[key]}" for key in ("now", "outbox", "windows") if key in status)
