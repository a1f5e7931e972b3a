"""The link's states and the kinds of record, in words for a school's IT."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_LINK_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "connected": "Connected to the district",
        "waiting": "Waiting for the district to answer",
        "refused": "Refused by the district",
        "not_joined": "Not joined to a district yet",
    }
)

_KIND_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "week": "summary of a week",
        "lesson": "lesson of a shared class",
        "status": "heartbeat",
    }
)


def link_words(state: str) -> str:
    """The link’s state in words."""
    return _LINK_WORDS.get(state) or state.replace("_", " ").capitalize()


def record_words(kind: str) -> str:
    """A kind of record in words."""
    return _KIND_WORDS.get(kind) or kind.replace("_", " ")
