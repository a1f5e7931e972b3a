"""A whole agent whose signals fill their budget: it says so, waits, and goes on once a day is forgotten."""

from datetime import datetime
from pathlib import Path

import httpx

from shared.pages.formats import count
from tests.edge_agent.backpressure import DURING, PEOPLE, ZONE, RunningAgent, leases, look_ups
from tests.hub.agents import until
from tests.shared.pages_reading import Page, check_page

KEY_DEAD = datetime(2026, 9, 15, 12, 30, tzinfo=ZONE).timestamp()
LINES = 120_000  # their signals come to some 2.5 MiB


def test_signals_that_fill_their_budget_hold_up_the_reading_until_their_day_is_forgotten(
    tmp_path: Path,
) -> None:
    school = RunningAgent(tmp_path / "school", tmp_path / "log", "signals_mib = 1\nfree_mib = 1")
    school.log.write_text(leases() + look_ups(0, LINES))
    school.set_clock(DURING)
    with school.running():
        until(lambda: str(school.source()["state"]).startswith("waits"))
        status = school.status()
        assert status["room"]["short"] == "signals_mib"
        assert status["working"].startswith("Nothing more is read for now, and nothing is lost: signals fill")
        assert 0 < status["signals"] < LINES
        page = Page(httpx.get(f"{school.site}/").text)
        check_page(page)
        assert "signals fill the 1 MiB that signals_mib in agent.toml allows" in page.one("p", "lede").text
        assert "Waits for room; goes on where it stood" in page.text

        school.set_clock(KEY_DEAD)
        until(lambda: school.source()["lines"] == len(PEOPLE) + LINES)
        until(lambda: school.source()["state"] == "up to date")
        status = school.status()
        assert status["room"]["short"] is None and status["room"]["signals"] == 0
        assert "Nothing more is read" not in status["working"]
        assert status["signals"] + status["late"] == LINES, "each was used, or counted as late"
        assert status["late"] > 0
        windows = status["windows"]
        assert windows["closed"] - windows["without_devices"] == 1, "Monday's lesson; on Tuesday nobody came"
        assert f"{count(status['late'], 'signal')} came after".lower() in httpx.get(school.site).text.lower()


def test_what_is_stored_when_the_agent_stops_for_want_of_room_is_there_when_it_starts_again(
    tmp_path: Path,
) -> None:
    school = RunningAgent(tmp_path / "school", tmp_path / "log", "signals_mib = 1\nfree_mib = 1")
    school.log.write_text(leases() + look_ups(0, LINES))
    school.set_clock(DURING)
    with school.running():
        until(lambda: str(school.source()["state"]).startswith("waits"))
        before = school.status()
    text = school.folder.settings.read_text()
    school.folder.settings.write_text(text.replace("signals_mib = 1", "signals_mib = 64"))
    with school.running():
        until(lambda: school.source()["state"] == "up to date")
        status = school.status()
    assert before["signals"] < status["signals"] == LINES
    assert status["late"] == 0 and status["room"]["short"] is None
