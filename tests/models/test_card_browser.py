"""The model card in a browser: for everybody, on every screen, by keyboard, without script, on few sheets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from models.card.drift import drift
from models.card.page import card
from tests.models.card_fits import coach, fitted, partly_fitted, unfitted, with_dimension
from tests.models.fit_lessons import TIM, lessons
from tests.shared.pages_browser import (
    check_keyboard,
    check_looks,
    chromium,
    needs_chromium,
    opened,
    sheets,
)

pytestmark = needs_chromium

LONG = "a-code-that-somebody-made-very-long-indeed-" * 4


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of cards: all calibrated with later lessons, one dimension short, none, strange codes."""
    fit = fitted()
    strange = with_dimension(
        fit, "active", coaches=(coach(LONG), coach("<b>b</b>", 40.0)), notes=(LONG.replace("-", ""),)
    )
    pages = {
        "whole": card(fit, TIM, drift(lessons(9, 60).features.x + 1, fit)),
        "partly": card(partly_fitted(), TIM),
        "none": card(unfitted(), TIM),
        "strange": card(strange, TIM),
    }
    folder = tmp_path_factory.mktemp("cards")
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return {name: Path(folder / f"{name}.html").as_uri() for name in pages}


@pytest.mark.parametrize("name", ["whole", "partly", "none", "strange"])
def test_a_card_can_be_read_by_everybody_on_every_screen(
    browser: Browser, cards: dict[str, str], name: str
) -> None:
    check_looks(browser, cards[name])


def test_a_card_with_every_table_opened_stays_as_wide_as_the_phone(
    browser: Browser, cards: dict[str, str]
) -> None:
    for size in ("phone", "ipad"):
        with opened(browser, cards["whole"], size, "light") as page:
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_everything_is_reached_by_keyboard(browser: Browser, cards: dict[str, str]) -> None:
    check_keyboard(browser, cards["whole"])


def test_a_card_asks_for_nothing_and_is_the_same_without_script(
    browser: Browser, cards: dict[str, str]
) -> None:
    with opened(browser, cards["whole"], "ipad", "light") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        with_script = page.content()
    with opened(browser, cards["whole"], "ipad", "light", script=False) as page:
        assert page.content() == with_script
    assert {address for address in asked if not address.startswith("data:")} == {cards["whole"]}


def test_counts_stand_out_from_the_deepest_cell_in_light_and_dark(
    browser: Browser, cards: dict[str, str]
) -> None:
    for scheme in ("light", "dark"):
        with opened(browser, cards["whole"], "ipad", scheme) as page:
            found = page.evaluate(
                """() => [...document.querySelectorAll('.wide .k-cell')].map(one => {
                     const style = getComputedStyle(one)
                     return [style.fill, Number(style.fillOpacity)]
                   })"""
            )
            ink, paper = (
                channels(page.evaluate(f"getComputedStyle(document.documentElement).{name}"))
                for name in ("color", "backgroundColor")
            )
        assert max(opacity for _, opacity in found) > 0.2, "depth is not drawn"
        for fill, opacity in found:
            ground = [a * opacity + b * (1 - opacity) for a, b in zip(channels(fill), paper, strict=True)]
            assert contrast(ink, ground) >= 4.5


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_a_card_prints_on_few_sheets(browser: Browser, cards: dict[str, str], paper: str) -> None:
    assert sheets(browser, cards["whole"], paper) <= 5
    assert sheets(browser, cards["none"], paper) <= 2


def channels(colour: str) -> list[float]:
    """Red, green and blue of `rgb(1, 2, 3)`."""
    return [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]


def contrast(one: list[float], two: list[float]) -> float:
    """WCAG's contrast of two colours."""
    bright, dim = sorted((luminance(one), luminance(two)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: list[float]) -> float:
    """WCAG's relative luminance."""
    shares = [part / 255 for part in colour]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
