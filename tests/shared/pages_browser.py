"""A real browser over real pages: the system's Chromium, axe, and the sizes that pages are made for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.applications import Starlette

from shared.serving import WebServer

CHROMIUM: Final = Path("/usr/bin/chromium")
SIZES: Final = {"ipad": (820, 1180), "phone": (390, 844), "screen": (1280, 900)}
SCHEMES: Final = ("light", "dark")
TOUCH: Final = 44
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]

needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: install the system's Chromium to test in a browser"
)

_TOUCHED: Final = "nav a, summary, .tap, .mark, .crumbs a, .home, .bottom a, .name a"
_FOCUSABLE: Final = "a[href], summary, [tabindex='0']"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """The application on a free port of this machine; its address without a slash at the end."""
    server = WebServer(app, 0, "pages-test")
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.stop()


@contextmanager
def opened(browser: Browser, address: str, size: str, scheme: str, *, script: bool = True) -> Iterator[Page]:
    """A page in one size and colour scheme; whatever its console says is a failure."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    try:
        page.goto(address)
        yield page
        assert said == [], f"{address} made the console say {said}"
    finally:
        context.close()


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA: rule and elements, one line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found: list[str] = page.evaluate(
        """async rules => (await axe.run({
             runOnly: {type: 'tag', values: rules}, resultTypes: ['violations'], elementRef: false
           })).violations.map(one => `${one.id}: ${one.nodes.map(node => node.target)}`)""",
        RULES,
    )
    return found


def check_looks(browser: Browser, address: str) -> None:
    """A page in every size and scheme: nothing against WCAG, nothing too wide, nothing too small to touch."""
    with opened(browser, address, "ipad", "light") as page:
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            where = f"{address} on {size}"
            wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wider <= 0, f"{where} is {wider} wider than the screen"
            small = too_small(page)
            assert small == [], f"{where} too small to touch: {small}"
            for scheme in SCHEMES:
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                found = violations(page)
                assert found == [], f"{where} in {scheme}: {found}"


def too_small(page: Page) -> list[str]:
    """Links and buttons with less than 44 points to touch, by their text."""
    found: list[str] = page.evaluate(
        """([selector, least]) => [...document.querySelectorAll(selector)]
             .filter(one => one.checkVisibility() && one.getBoundingClientRect().height < least)
             .map(one => one.textContent.trim())""",
        [_TOUCHED, TOUCH],
    )
    return found


def check_keyboard(browser: Browser, address: str) -> None:
    """The skip link comes first, shows itself and works; then every link is reached by Tab, in order."""
    with opened(browser, address, "ipad", "light") as page:
        page.keyboard.press("Tab")
        skip = page.locator(".skip")
        assert skip.evaluate("one => one === document.activeElement")
        box = skip.bounding_box()
        assert box is not None
        assert box["y"] >= 0, "the skip link stays out of sight"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
    with opened(browser, address, "ipad", "light") as page:
        count: int = page.evaluate(
            "selector => [...document.querySelectorAll(selector)].filter(a => a.checkVisibility()).length",
            _FOCUSABLE,
        )
        reached = []
        for _ in range(count):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate(
                    "selector => [...document.querySelectorAll(selector)].indexOf(document.activeElement)",
                    _FOCUSABLE,
                )
            )
        assert len(set(reached)) == count, f"{address}: Tab reaches {len(set(reached))} of {count}"
        assert reached == sorted(reached), "Tab goes in the order of reading"


def sheets(browser: Browser, address: str, paper: str) -> int:
    """How many sheets a page takes in print."""
    page = browser.new_page()
    try:
        page.goto(address)
        return page.pdf(format=paper).count(b"/Type /Page\n")
    finally:
        page.close()
