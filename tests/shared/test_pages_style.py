"""The style sheet keeps its promises: four sizes, no motion, and contrast in light, in dark and in print."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from shared.pages import environment

SHEET = (Path(environment.HERE) / "static" / "common.css").read_text(encoding="utf-8")
TEXT_ON = [("ink", "paper"), ("quiet", "paper"), ("accent", "paper"), ("ink", "wash"), ("accent", "wash")]
CHANNELS = ("consume", "practise", "create", "collaborate", "publish", "reflect", "plan", "other")


def schemes() -> dict[str, dict[str, str]]:
    """The colours by name, of light, dark and print."""
    blocks = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", block))
        for block in re.findall(r":root \{(.*?)\}", SHEET, re.S)
    ]
    light, dark, paper = blocks
    return {"light": light, "dark": light | dark, "print": light | paper}


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_stands_out_from_its_ground(scheme: str, text: str, ground: str) -> None:
    colours = schemes()[scheme]
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_drawn_bars_and_outlines_stand_out_from_the_paper(scheme: str) -> None:
    colours = schemes()[scheme]
    for name in ("accent", "quiet", "edge", "stage"):
        assert contrast(colours[name], colours["paper"]) >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_neighbours_in_a_stack_of_channels_differ_in_lightness(scheme: str) -> None:
    colours = schemes()[scheme]
    for below, above in pairwise(CHANNELS):
        assert contrast(colours[below], colours[above]) >= 1.25, f"{below} and {above} in {scheme}"


def test_there_are_four_sizes_and_nothing_moves() -> None:
    sizes = set(re.findall(r"font-size: ([^;]+);", SHEET))
    assert sizes == {"var(--small)", "var(--body)", "var(--large)", "var(--huge)", "14px"}
    assert re.search(r"--small: 0\.875rem", SHEET), "14px in drawings is the small size"
    assert not re.search(r"animation|transition|@keyframes|@import|url\(", SHEET)
