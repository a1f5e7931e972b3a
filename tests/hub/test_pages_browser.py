"""The hub's pages in a browser: for everybody, on every screen, by keyboard, without script, in print."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser

from tests.hub.hubs import temporary_hub
from tests.hub.pages_district import CODE, alarmed, filled, served_by
from tests.shared.pages_browser import (
    check_keyboard,
    check_looks,
    chromium,
    needs_chromium,
    opened,
    served,
    sheets,
)

pytestmark = needs_chromium

SCHOOL_PAGE = "/schools/alder-primary"
CLASS_PAGE = f"{SCHOOL_PAGE}/classes/{CODE}"
PAGES = ("/", "/status", SCHOOL_PAGE, CLASS_PAGE, "/schools/elm-school", "/usage", "/how")
# Pages with one fault each, and what the check must say of it.
FAULTS = {
    "pale": ("<p style='color: #999; background: #aaa'>Too pale.</p>", "color-contrast"),
    "unnamed": ("<img src='data:,'>", "image-alt"),
    "dark": (
        "<style>@media (prefers-color-scheme: dark) {p {color: #333; background: #222}}</style><p>Too dark.",
        "in dark",
    ),
    "wide": ("<p style='width: 500px'>x", "on phone is 1.. wider"),
    "small": ("<nav><a href='/'>x</a></nav>", "too small to touch"),
}
FAULTY = (
    "<!doctype html><html lang='en'><head><title>Faulty</title></head><body><main><h1>x</h1>{}</main></body>"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def app() -> Iterator[FastAPI]:
    """A full district, and pages with faults planted on them."""
    with temporary_hub() as hub:
        app = filled(hub)
        app.add_api_route("/faulty/{fault}", faulty)
        yield app


def faulty(fault: str) -> HTMLResponse:
    """A page with one fault; its own policy lets the fault be seen."""
    return HTMLResponse(FAULTY.format(FAULTS[fault][0]), headers={"Content-Security-Policy": "img-src data:"})


@pytest.fixture(scope="module")
def site(app: FastAPI) -> Iterator[str]:
    """Its address."""
    with served(app) as address:
        yield address


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_read_by_everybody_on_every_screen(browser: Browser, site: str, path: str) -> None:
    check_looks(browser, site + path)


def test_a_usage_district_can_be_read_by_everybody_on_every_screen(
    browser: Browser, site: str, app: FastAPI
) -> None:
    (first, *_) = app.state.views.usage_districts().districts
    check_looks(browser, f"{site}/usage/{first.id}")


def test_pages_that_teach_can_be_read_by_everybody_on_every_screen(browser: Browser) -> None:
    with temporary_hub() as hub, served(served_by(hub)) as site:
        check_looks(browser, f"{site}/")


@pytest.mark.parametrize("path", ["/", "/status"])
def test_alarms_can_be_read_by_everybody_on_every_screen(browser: Browser, path: str) -> None:
    with temporary_hub() as hub, served(alarmed(hub)) as site:
        check_looks(browser, site + path)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_itself_finds_a_fault_that_is_planted(browser: Browser, site: str, fault: str) -> None:
    with pytest.raises(AssertionError, match=FAULTS[fault][1]):
        check_looks(browser, f"{site}/faulty/{fault}")


@pytest.mark.parametrize("path", ["/", CLASS_PAGE])
def test_everything_is_reached_by_keyboard_and_the_skip_link_comes_first(
    browser: Browser, site: str, path: str
) -> None:
    check_keyboard(browser, site + path)


@pytest.mark.parametrize("path", ["/", SCHOOL_PAGE, CLASS_PAGE])
def test_a_page_is_the_same_without_script(browser: Browser, site: str, path: str) -> None:
    with opened(browser, site + path, "ipad", "light") as page:
        with_script = page.content()
    with opened(browser, site + path, "ipad", "light", script=False) as page:
        assert page.content() == with_script


def test_drawings_take_the_colours_of_the_scheme(browser: Browser, site: str) -> None:
    fills = {}
    for scheme in ("light", "dark"):
        with opened(browser, site + SCHOOL_PAGE, "screen", scheme) as page:
            fills[scheme] = page.evaluate(
                """["#contacted .wide path.ch-consume", "#levels-tim .wide .c-cell"]
                   .map(where => getComputedStyle(document.querySelector(where)).fill)"""
            )
            ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
            assert ground not in fills[scheme]
    assert all(light != dark for light, dark in zip(fills["light"], fills["dark"], strict=True))
    assert "none" not in fills["light"] + fills["dark"]


def test_a_phone_and_a_screen_each_get_the_drawing_made_for_them(browser: Browser, site: str) -> None:
    for size, shown in (("phone", "narrow"), ("ipad", "wide"), ("screen", "wide")):
        with opened(browser, site + SCHOOL_PAGE, size, "light") as page:
            seen = page.evaluate(
                """[...document.querySelectorAll('.draw')].filter(one => one.checkVisibility())
                   .map(one => one.className.split(' ')[1])"""
            )
            assert set(seen) == {shown}
            assert len(seen) == 4


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("path", ["/", SCHOOL_PAGE, CLASS_PAGE])
def test_a_page_prints_on_one_sheet(browser: Browser, site: str, path: str, paper: str) -> None:
    assert sheets(browser, site + path, paper) == 1
