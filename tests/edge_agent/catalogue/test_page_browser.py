"""The page of the catalogue in a browser: for everybody, and without any script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from edge_agent.catalogue.in_use import school_file
from models.catalogue.overlay import Overlay, read_overlay
from tests.edge_agent.catalogue.catalogue_desk import make_desk, page
from tests.shared.pages_browser import check_looks, chromium, needs_chromium, served

pytestmark = needs_chromium
REACHED = 'a[href], input:not([type=hidden]), textarea, select, button, [tabindex="0"]'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    with chromium() as found:
        yield found


def test_it_can_be_read_by_everybody_on_every_screen_and_by_keyboard(
    browser: Browser, tmp_path: Path
) -> None:
    with served(page(make_desk(tmp_path))) as site:
        check_looks(browser, f"{site}/catalogue")
        tab = browser.new_page()
        tab.goto(f"{site}/catalogue")
        left = tab.evaluate(f"window.left = new Set(document.querySelectorAll('{REACHED}')); left.size")
        for _ in range(left):
            tab.keyboard.press("Tab")
            tab.evaluate("left.delete(document.activeElement)")
        assert tab.evaluate("[...left].map(one => one.outerHTML)") == []
        tab.close()


def test_a_missing_name_is_tried_and_added_in_a_browser_without_any_script(
    browser: Browser, tmp_path: Path
) -> None:
    desk = make_desk(tmp_path)
    with served(page(desk)) as site:
        context = browser.new_context(java_script_enabled=False)
        tab = context.new_page()
        tab.goto(f"{site}/catalogue")
        tab.get_by_role("link", name="Add castle.example").click()
        tab.get_by_label("Name", exact=True).fill("Number Castle")
        tab.get_by_label("What it is for").select_option("LC - Study Tools")
        tab.get_by_role("button", name="Try it on the last week").click()
        tab.get_by_text("30 look-ups of 60 unlisted look-ups in a week").wait_for()
        assert not school_file(desk.folder).exists()
        tab.get_by_role("button", name="Write it down").click()
        tab.get_by_text("Your change is written down.").wait_for()
        tab.get_by_role("link", name="Number Castle").click()
        assert tab.get_by_label("Name", exact=True).input_value() == "Number Castle"
        tab.get_by_role("button", name="Take Number Castle away").click()
        tab.get_by_text("None.", exact=True).wait_for()
        context.close()
    assert read_overlay(school_file(desk.folder)) == Overlay()
