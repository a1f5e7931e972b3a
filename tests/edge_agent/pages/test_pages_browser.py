"""The agent's pages in a browser: for everybody, on every screen, by keyboard."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.edge_agent.pages.pages_status import busy, new, page_over
from tests.shared.pages_browser import check_keyboard, check_looks, chromium, needs_chromium, served, sheets

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    with chromium() as found:
        yield found


@pytest.mark.parametrize("path", ["/", "/what-leaves"])
@pytest.mark.parametrize("state", [busy, new])
def test_a_page_can_be_read_by_everybody_on_every_screen(
    browser: Browser, state: Callable[[], dict[str, Any]], path: str
) -> None:
    with served(page_over(state())) as site:
        check_looks(browser, site + path)


def test_everything_is_reached_by_keyboard_and_the_skip_link_comes_first(browser: Browser) -> None:
    with served(page_over(busy())) as site:
        check_keyboard(browser, f"{site}/")


def test_what_leaves_prints_on_one_sheet(browser: Browser) -> None:
    with served(page_over(busy())) as site:
        assert sheets(browser, f"{site}/what-leaves", "A4") == 1
