"""The features of set 1 in plain words, and how their values are written."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from hub.charts.keys import CHANNEL_WORDS
from hub.views.merge import CHANNEL_FEATURES
from shared.pages.formats import MISSING, capital, number, share

Written = Callable[[float], str]


def _hourly(value: float) -> str:
    return f"{number(value)} per device-hour"


def _bits(value: float) -> str:
    return f"{number(value)} bits"


def _a_piece(value: float) -> str:
    return f"{number(value)} per piece"


def _of(whole: str) -> Written:
    return lambda value: f"{share(value)} of {whole}"


_APPS: Final = _of("time in apps")
_IPADS: Final = _of("iPads")

# A feature: what it is in words, and how its value is written.
_SIGNS: Final[Mapping[str, tuple[str, Written]]] = MappingProxyType(
    {
        feature: (f"time in apps for {CHANNEL_WORDS[channel]}", _APPS)
        for channel, feature in CHANNEL_FEATURES.items()
    }
    | {
        "artefact_rate": ("pieces begun", _hourly),
        "revisions_per_artefact": ("times a piece was reworked", _a_piece),
        "peer_share_rate": ("pieces passed to each other", _hourly),
        "coedit_fraction": ("iPads on which a piece was edited together", _IPADS),
        "contribution_evenness": ("how evenly making was spread over iPads", _of("an even spread")),
        "capture_rate": ("photos, films and sound captured", _hourly),
        "ar_use": ("augmented reality", _of("lessons")),
        "chain_fraction": ("iPads that went from a capture to showing a piece", _IPADS),
        "transition_entropy": ("variety of steps between kinds of app", _bits),
        "app_entropy": ("variety of apps in the class", _bits),
        "choice_dispersion": ("how far iPads differed in their apps", _bits),
        "synchrony": ("iPads on the same app at the same time", _IPADS),
        "mirror_share": ("a screen shown to everyone", _of("minutes")),
        "outside_audience": ("something shown outside the class", _of("lessons")),
        "switch_rate": ("changes from app to app", _hourly),
        "unlisted_share": ("time in apps not in the catalogue", _APPS),
    }
)
_YES_OR_NO: Final = frozenset({"ar_use", "outside_audience"})


def sign_words(feature: str) -> str:
    """The feature's name in plain words."""
    return _SIGNS[feature][0] if feature in _SIGNS else feature.replace("_", " ")


def opening(feature: str) -> str:
    """The same where it opens a line; what begins with iPads stays as it is."""
    said = sign_words(feature)
    return said if said.startswith("iPad") else capital(said)


def here_words(feature: str, value: float | None) -> str:
    """A lesson's value with its unit."""
    if value is None:
        return MISSING
    if feature in _YES_OR_NO:
        return "yes" if value >= 0.5 else "no"
    return typical_words(feature, value)


def typical_words(feature: str, value: float) -> str:
    """A mean with its unit."""
    return _SIGNS[feature][1](value) if feature in _SIGNS else number(value)
