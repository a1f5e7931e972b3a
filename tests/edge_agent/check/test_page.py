"""The page's list of findings: ticked off by hand, kept over checks, unticked by a change."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from edge_agent.check.desk import CheckDesk
from edge_agent.check.findings import Finding
from edge_agent.page import create_page
from edge_agent.store import checks
from edge_agent.store.schema import MIGRATIONS
from shared.errors import UsageError
from shared.storage import Writer
from tests.edge_agent.identity.test_today import ask
from tests.edge_agent.pages.pages_status import busy
from tests.shared.pages_reading import Page, check_page

NOW = 1_789_380_000.0
HOST = {"origin": "http://127.0.0.1:8100", "host": "127.0.0.1:8100", "sec-fetch-site": "same-origin"}
ODD = Finding(
    "devices.no_lease",
    "fix",
    "12 devices <b>have</b> no lease.",
    {"devices": 12},
    "Use `log-dhcp`.",
    ("the class in room 12",),
)
WELL = Finding("disk.free", "ok", "The disk has room.")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path / "agent.db", MIGRATIONS)
    yield made
    made.close()


@pytest.fixture
def desk(writer: Writer) -> CheckDesk:
    writer.run(lambda connection: checks.keep(connection, [ODD, WELL], NOW))
    return CheckDesk(writer, lambda: NOW)


@pytest.fixture
def page(desk: CheckDesk) -> Starlette:
    return create_page(busy, None, desk)


def states(desk: CheckDesk) -> tuple[list[str], list[str]]:
    shown = desk.shown()
    assert shown is not None
    return [one.id for one in shown.open], [one.id for one in shown.ticked]


def test_the_page_lists_what_is_wrong_with_what_to_do_and_escapes_it(page: Starlette) -> None:
    text = ask(page, "GET", "/").text
    check_page(Page(text))
    assert "12 devices &lt;b&gt;have" in text
    assert "<code>log-dhcp</code>" in text
    assert "1 point well" in text
    assert "The disk has room" not in text
    assert "room 12" not in text, "classes are for whoever calls the command"


def test_a_tick_is_taken_from_the_pages_own_form_and_can_be_taken_back(
    page: Starlette, desk: CheckDesk
) -> None:
    body = f"token={desk.token}&tick=devices.no_lease"
    assert ask(page, "POST", "/check", body, **HOST).status_code == 303
    assert states(desk) == ([], ["devices.no_lease"])
    check_page(Page(ask(page, "GET", "/").text))
    assert ask(page, "POST", "/check", f"token={desk.token}&off=devices.no_lease", **HOST).status_code == 303
    assert states(desk) == (["devices.no_lease"], [])


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        ("token=wrong&tick=devices.no_lease", HOST, 403),
        ("token={token}&tick=devices.no_lease", {**HOST, "origin": "http://evil.example"}, 403),
        ("token={token}&tick=devices.no_lease", {**HOST, "sec-fetch-site": "cross-site"}, 403),
        ("token={token}&tick=nothing.such", HOST, 400),
        ("token={token}", HOST, 400),
    ],
)
def test_nobody_else_ticks(
    page: Starlette, desk: CheckDesk, body: str, headers: dict[str, str], code: int
) -> None:
    assert ask(page, "POST", "/check", body.format(token=desk.token), **headers).status_code == code
    assert states(desk) == (["devices.no_lease"], [])


@pytest.mark.parametrize(
    ("devices", "level", "stays"),
    [(12, "fix", True), (14, "fix", True), (40, "fix", False), (12, "look", False)],
)
def test_a_tick_is_kept_until_its_finding_changes(
    writer: Writer, desk: CheckDesk, devices: int, level: str, stays: bool
) -> None:
    desk.take("devices.no_lease", on=True)
    again = Finding("devices.no_lease", level, "Some.", {"devices": devices})  # type: ignore[arg-type] # a level
    writer.run(lambda connection: checks.keep(connection, [again], NOW + 86400))
    assert bool(states(desk)[1]) is stays


def test_a_tick_of_a_fault_that_was_mended_is_gone_when_it_comes_back(
    writer: Writer, desk: CheckDesk
) -> None:
    desk.take("devices.no_lease", on=True)
    writer.run(lambda connection: checks.keep(connection, [WELL], NOW))
    with pytest.raises(UsageError):
        desk.take("devices.no_lease", on=True)
    writer.run(lambda connection: checks.keep(connection, [ODD], NOW))
    assert states(desk) == (["devices.no_lease"], [])


def test_before_the_first_check_the_page_says_nothing_of_one(writer: Writer) -> None:
    app = create_page(busy, None, CheckDesk(writer, lambda: NOW))
    assert "What the check found" not in ask(app, "GET", "/").text
