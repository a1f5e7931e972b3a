"""Kinds of source as people call them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from shared.pages.formats import listing

KIND_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dnsmasq": "resolver log (dnsmasq)",
        "pihole": "resolver log (Pi-hole)",
        "unbound": "resolver log (Unbound)",
        "bind": "resolver log (BIND)",
        "adguard": "resolver log (AdGuard Home)",
        "dnstap": "resolver stream (dnstap)",
        "squid": "proxy log (Squid)",
        "umbrella": "resolver log (Umbrella)",
        "securly": "filter log (Securly)",
        "events": "filter log (through a mapping)",
        "zeek": "network sensor (Zeek)",
        "xapi": "apps that report (xAPI)",
        "caliper": "apps that report (Caliper)",
        "learnplatform": "usage export (LearnPlatform)",
        "lightspeed": "usage export (Lightspeed)",
        "catchon": "usage export (CatchOn)",
        "mdm": "device inventory (MDM)",
    }
)


def kind_words(kind: str) -> str:
    """One kind in words."""
    return KIND_WORDS.get(kind, kind)


def sources_words(kinds: Iterable[str]) -> str:
    """Several kinds in words."""
    return listing([kind_words(kind) for kind in kinds]) or "no source yet"
