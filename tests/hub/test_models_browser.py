"""Pages of several models in a browser: each choice, each disclosure open, on every screen, and in print."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.hub.hubs import temporary_hub
from tests.hub.pages_district import CODE
from tests.hub.pages_models import several
from tests.shared.pages_browser import (
    SCHEMES,
    SIZES,
    check_keyboard,
    check_looks,
    chromium,
    needs_chromium,
    opened,
    served,
    sheets,
    too_small,
    violations,
)

pytestmark = needs_chromium

SCHOOL_PAGE = "/schools/alder-primary"
CLASS_PAGE = f"{SCHOOL_PAGE}/classes/{CODE}"
LESSON_PAGE = f"{CLASS_PAGE}/lessons/20250903T090000"
PAGES = (
    "/?model=samr",
    f"{SCHOOL_PAGE}?model=picrat",
    f"{SCHOOL_PAGE}?model=loti",
    f"{CLASS_PAGE}?model=valley",
    LESSON_PAGE,
    "/how",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of a school read with six models."""
    with temporary_hub() as hub:
        again, app = several(hub)
        with served(app) as address:
            yield address
        again.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_read_by_everybody_on_every_screen(browser: Browser, site: str, path: str) -> None:
    check_looks(browser, site + path)


@pytest.mark.parametrize("path", [LESSON_PAGE, f"{LESSON_PAGE}?model=samr"])
def test_so_can_everything_that_a_disclosure_opens(browser: Browser, site: str, path: str) -> None:
    with opened(browser, site + path, "ipad", "light") as page:
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        for width, height in SIZES.values():
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
            assert too_small(page) == []
            for scheme in SCHEMES:
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                assert violations(page) == []


def test_a_disclosure_opens_by_keyboard_and_without_script(browser: Browser, site: str) -> None:
    check_keyboard(browser, site + LESSON_PAGE)
    with opened(browser, site + LESSON_PAGE, "phone", "light", script=False) as page:
        first = page.locator("details.moved").first
        assert not first.locator("figure").is_visible()
        first.locator("summary").first.focus()
        page.keyboard.press("Enter")
        assert first.locator("figure").is_visible()
        assert first.locator(".draw.narrow").is_visible()


def test_another_model_is_one_tap_away_without_script(browser: Browser, site: str) -> None:
    with opened(browser, site + SCHOOL_PAGE, "ipad", "light", script=False) as page:
        page.get_by_role("link", name="SAMR", exact=True).click()
        assert page.locator("#levels-samr .draw.wide").is_visible()
        assert page.locator("[aria-current=true]").inner_text() == "SAMR"


@pytest.mark.parametrize("path", [SCHOOL_PAGE, f"{SCHOOL_PAGE}?model=acot", CLASS_PAGE, LESSON_PAGE])
def test_a_page_prints_on_one_sheet(browser: Browser, site: str, path: str) -> None:
    assert sheets(browser, site + path, "A4") == 1
