"""What tests of growing logs share: logs, rotation, a clock, and files that are closed in the end."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck

from edge_agent.sources.logfile import Position
from edge_agent.sources.tail import QUIET_SECONDS, Tail

FIXTURES = HealthCheck.function_scoped_fixture  # it only closes files
START = datetime(2026, 9, 14, 8, 31, tzinfo=UTC)


class Watch:
    """A monotonic clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def wait(self) -> None:
        self.seconds += QUIET_SECONDS


@pytest.fixture(autouse=True)
def every_file_is_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    opened: list[Tail] = []
    make = Tail.__init__

    def remember(
        self: Tail,
        path: Path,
        position: Position | None,
        monotonic: Callable[[], float] | None = None,
        *,
        header: bool = False,
    ) -> None:
        opened.append(self)
        make(self, path, position, monotonic or Watch(), header=header)

    monkeypatch.setattr(Tail, "__init__", remember)
    yield
    for tail in opened:
        tail.close()


def lines(start: int, count: int) -> str:
    return "".join(
        f"{START + timedelta(seconds=number):%b %d %H:%M:%S} line {number}\n"
        for number in range(start, start + count)
    )


def append(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def rotate(log: Path) -> None:
    """As logrotate does with `create`."""
    for age in range(8, 0, -1):
        older = log.with_name(f"{log.name}.{age}")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{age + 1}"))
    log.rename(log.with_name(f"{log.name}.1"))
    log.touch()


def read_all(tail: Tail) -> tuple[str, Position | None]:
    """Everything that can be had without waiting."""
    text, position = "", None
    while (found := tail.read()) is not None:
        text += found[0].decode()
        position = found[1]
    return text, position


def read_and_wait(tail: Tail, watch: Watch, times: int = 6) -> str:
    """Everything, after enough quiet for every rotated file there is."""
    text = ""
    for _ in range(times):
        text += read_all(tail)[0]
        watch.wait()
    return text


def position_after(log: Path) -> Position:
    _, position = read_all(Tail(log, None))
    assert position is not None
    return position
