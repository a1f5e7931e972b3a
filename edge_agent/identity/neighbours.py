"""Tables of neighbours: which hardware answers for an address now, also where no DHCP server gave it (IPv6).

`ip neigh show`, macOS's and BSD's `ndp -an` and `arp -an`, or a router's export as `address,hardware`.
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Final

from edge_agent.identity.hardware import hardware_address

LONGEST_LINE: Final = 400
_UNSEEN: Final = frozenset({"FAILED", "INCOMPLETE", "(incomplete)"})
_SHORT_HARDWARE: Final = re.compile(r"[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2}){5}")


def neighbour_owners(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Address and hardware address of each line that has both; others are passed over."""
    for line in lines:
        words = line.replace(",", " ").split() if len(line) <= LONGEST_LINE else []
        if _UNSEEN.isdisjoint(words):
            address = next((found for word in words if (found := _address(word))), None)
            hardware = next((found for word in words if (found := _hardware(word))), None)
            if address and hardware:
                yield address, hardware


def _address(word: str) -> str | None:
    plain = word.strip("()").partition("%")[0]
    try:
        return str(ip_address(plain))
    except ValueError:
        return None


def _hardware(word: str) -> str | None:
    if _SHORT_HARDWARE.fullmatch(word):  # BSD leaves leading zeros out
        return "".join(part.zfill(2) for part in word.split(":")).lower()
    return hardware_address(word)
