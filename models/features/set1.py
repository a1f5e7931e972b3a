"""Feature set 1: its names in order, and what each kind of source lets one see of them."""

import difflib
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.errors import UsageError
from shared.words import SOURCE_KINDS, Sight

FEATURE_SET: Final = "1"

FEATURES: Final = (
    "consume_share",
    "practise_share",
    "create_share",
    "collaborate_share",
    "publish_share",
    "reflect_share",
    "artefact_rate",
    "revisions_per_artefact",
    "peer_share_rate",
    "coedit_fraction",
    "contribution_evenness",
    "capture_rate",
    "ar_use",
    "chain_fraction",
    "transition_entropy",
    "app_entropy",
    "choice_dispersion",
    "synchrony",
    "mirror_share",
    "outside_audience",
    "plan_share",
    "switch_rate",
    "unlisted_share",
    "evidence",
)
FEATURE_INDEX: Final = MappingProxyType({name: i for i, name in enumerate(FEATURES)})
EVIDENCE: Final = FEATURE_INDEX["evidence"]

_SHARES: Final = (*FEATURES[:6], "plan_share")
_SEEN: Final = MappingProxyType(
    {
        Sight.NOTHING: (),
        Sight.USAGE: (*_SHARES, "app_entropy", "unlisted_share"),
        Sight.CONTACTS: (
            *_SHARES,
            "transition_entropy",
            "app_entropy",
            "choice_dispersion",
            "synchrony",
            "switch_rate",
            "unlisted_share",
            "evidence",
        ),
        Sight.ACTIONS: FEATURES,
    }
)


def sights(kinds: Iterable[str]) -> frozenset[Sight]:
    """How the given kinds of source see; raises UsageError for a kind nobody knows, naming the nearest."""
    found = set()
    for kind in kinds:
        if kind not in SOURCE_KINDS:
            near = difflib.get_close_matches(kind, SOURCE_KINDS, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known kinds: {', '.join(SOURCE_KINDS)}"
            raise UsageError(f"unknown kind of source `{kind[:40]}`; {hint}")
        found.add(SOURCE_KINDS[kind])
    return frozenset(found)


def visible(kinds: Iterable[str]) -> NDArray[np.bool_]:
    """Which features a window with these kinds of source can see: bool [24], the union over the kinds.

    Raises UsageError for an unknown kind.
    """
    seen = {name for sight in sights(kinds) for name in _SEEN[sight]}
    return np.array([name in seen for name in FEATURES])


def usage_only(kinds: Iterable[str]) -> bool:
    """Whether all that the kinds know is use by product and day, without signals one could count."""
    return sights(kinds) - {Sight.NOTHING} == {Sight.USAGE}
