"""The button in a real browser, and its change in a running agent and for collectors on other machines."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from edge_agent.identity.load import load_directory
from edge_agent.identity.today import Change, add_change, load_changes, today_file
from edge_agent.page import create_page
from edge_agent.paths import AgentFolder
from edge_agent.placing.daykeys import pseudonym
from edge_agent.placing.placer import Miss, Spot
from edge_agent.remote import day_table
from edge_agent.remote.admission import belongs
from edge_agent.settings import load_settings
from edge_agent.today_desk import TodayDesk
from shared.signals import SignalBatch
from tests.edge_agent.backpressure import DURING, RunningAgent, leases, look_ups
from tests.edge_agent.identity.test_today import Clock, folder_of
from tests.edge_agent.pages.pages_status import busy
from tests.edge_agent.remote.town import CODES, DAY, KEY, PEOPLE, ZONE, at, directory
from tests.hub.agents import until
from tests.shared.pages_browser import check_looks, chromium, needs_chromium, served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    with chromium() as found:
        yield found


@needs_chromium
def test_the_button_works_in_a_browser_without_any_script(browser: Browser, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "a")
    found, _ = load_directory(folder, load_settings(folder))
    today = TodayDesk(today_file(folder.root), ZONE, Clock(), found)
    with served(create_page(busy, today)) as site:
        check_looks(browser, f"{site}/")
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{site}/")
        page.get_by_role("button", name="Two-hour delay").click()
        page.get_by_text("2-hour delay, said at 06:00.").wait_for()
        page.get_by_label("School ends at").fill("12:30")
        page.get_by_role("button", name="Early dismissal").click()
        page.get_by_text("Early dismissal at 12:30, said at 06:00.").wait_for()
        context.close()
    assert [item.change for item in load_changes(today.path)] == ["delay", "dismissal"]


def test_a_running_agent_takes_in_nothing_more_once_a_test_is_said(tmp_path: Path) -> None:
    school = RunningAgent(tmp_path / "school", tmp_path / "log", "free_mib = 1")
    school.log.write_text(leases() + look_ups(0, 100))
    school.set_clock(DURING - 2_400)
    with school.running():
        until(lambda: school.status().get("signals") == 100)
        add_change(today_file(school.folder.root), Change(DAY, "testing", at(9, 5)))

        def said() -> bool:
            with school.log.open("a") as file:
                file.write(look_ups(72 * 600, 1))  # ten past nine
            return bool(school.status()["outside"].get("testing", 0))

        until(said)


def test_collectors_on_other_machines_are_told_and_what_they_send_of_a_test_is_not_taken(
    tmp_path: Path,
) -> None:
    school = directory(tmp_path / "school")
    add_change(today_file(tmp_path / "school"), Change(DAY, "testing", at(9, 10)))
    found, _ = load_directory(folder := AgentFolder(tmp_path / "school"), load_settings(folder))
    table = day_table.decode(day_table.encode(day_table.make(found, CODES, KEY, DAY, ZONE)))
    hardware = PEOPLE[0].hardware.replace(":", "")
    assert isinstance(table.place(hardware, at(9, 10) - 1), Spot)
    assert table.place(hardware, at(9, 10)) == Miss("outside", "testing")
    one = pseudonym(KEY, PEOPLE[0].serial)
    for code in ("codeone1", ""):
        rows = [(at(9, minute), one, 0, 1, 0, 0.0) for minute in (5, 9, 10, 20)]
        batch = SignalBatch.from_rows(
            rows, kind="dnsmasq", source="r", catalogue="1", day_key=DAY.isoformat(), class_codes=(code,)
        )
        assert np.flatnonzero(belongs(batch, table)).tolist() == ([0, 1] if code else [])
    assert school.timetable.testing(DAY) == ()
