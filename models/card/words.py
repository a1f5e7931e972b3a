"""The words and numbers of a card: features by name, figures with two digits and their doubt."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from models.features.set1 import FEATURES
from shared.pages.formats import number, share

UNKNOWN: Final = "not known"

# Short enough for a row's label; the glossary of features is docs/models.md.
FEATURE_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "consume_share": "reading or watching",
        "practise_share": "practising",
        "create_share": "making",
        "collaborate_share": "working together",
        "publish_share": "showing work",
        "reflect_share": "looking back",
        "artefact_rate": "pieces begun",
        "revisions_per_artefact": "pieces reworked",
        "peer_share_rate": "pieces passed on",
        "coedit_fraction": "editing together",
        "contribution_evenness": "making evenly spread",
        "capture_rate": "captures",
        "ar_use": "augmented reality",
        "chain_fraction": "capture to showing",
        "transition_entropy": "variety of steps",
        "app_entropy": "variety of apps",
        "choice_dispersion": "iPads differ in apps",
        "synchrony": "same app at once",
        "mirror_share": "one screen for all",
        "outside_audience": "shown outside class",
        "plan_share": "planning",
        "switch_rate": "changes of app",
        "unlisted_share": "apps not catalogued",
        "evidence": "evidence",
    }
)


def feature_words(index: int) -> str:
    """A feature of set 1 by its index, in plain words."""
    return FEATURE_WORDS[FEATURES[index]]


def signed(value: float | None) -> str:
    """Two significant digits with the sign always there: `+0.27`, `−0.5`, `0`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = number(abs(value))
    return text if text == "0" else f"{'−' if value < 0 else '+'}{text}"


def figure(value: float | None) -> str:
    """Two decimals, as agreements and errors between 0 and 1 are read; `not known` where there is none."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = f"{abs(value):.2f}"
    return f"−{text}" if value < 0 and text != "0.00" else text


def percent(value: float | None) -> str:
    """A share in percent; `not known` where there is none."""
    return UNKNOWN if value is None or not math.isfinite(value) else share(value)


def span(low: int, high: int) -> str:
    """`200`, or `60 to 200`."""
    return f"{low:,d}" if low == high else f"{low:,d} to {high:,d}"
