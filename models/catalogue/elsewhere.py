"""Names of resolvers and relays elsewhere: who asks for one is there, and may ask no more of this resolver.

The list is general knowledge of 2026: the operators' own public names, no claim to be complete.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.catalogue.suffixes import NONE, Suffixes

RELAYS: Final = (
    "mask.icloud.com",
    "mask-h2.icloud.com",
    "mask-api.icloud.com",
    "mask.apple-dns.net",
    "mask-t.apple-dns.net",
    "apple-relay.akamaized.net",
    "apple-relay.cloudflare.com",
    "apple-relay.fastly-edge.com",
)
RESOLVERS: Final = (
    "adguard-dns.com",
    "cloudflare-dns.com",
    "cloudflare-gateway.com",
    "controld.com",
    "dns.adguard.com",
    "dns.alidns.com",
    "dns.cleanbrowsing.org",
    "dns.digitale-gesellschaft.ch",
    "dns.google",
    "dns.google.com",
    "dns.mullvad.net",
    "dns.njal.la",
    "dns.opendns.com",
    "dns.quad9.net",
    "dns.switch.ch",
    "dns.umbrella.com",
    "dns0.eu",
    "dns10.quad9.net",
    "dns11.quad9.net",
    "dns9.quad9.net",
    "doh.applied-privacy.net",
    "doh.cleanbrowsing.org",
    "doh.dns.apple.com",
    "doh.dns.sb",
    "doh.familyshield.opendns.com",
    "doh.libredns.gr",
    "doh.mullvad.net",
    "doh.opendns.com",
    "doh.umbrella.com",
    "nextdns.io",
    "one.one.one.one",
)
ELSEWHERE: Final = frozenset((*RELAYS, *RESOLVERS))
_SUFFIXES: Final = Suffixes(dict.fromkeys(ELSEWHERE, 1))


@lru_cache(maxsize=4096)
def leads_elsewhere(name: str) -> bool:
    """Whether a host name, in any case, is one of these or below one. Any text is safe."""
    return bool(_SUFFIXES.find(name))


def all_elsewhere(names: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the host names lead elsewhere [n]."""
    return _SUFFIXES.find_all(names) > NONE
