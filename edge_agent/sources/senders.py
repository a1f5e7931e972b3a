"""Who may send to a listener: the addresses and networks that `from` names, or everybody if it names none."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from edge_agent.sources.places import THIS_MACHINE
from shared.errors import SettingsError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(given: Sequence[str]) -> tuple[Network, ...]:
    """What `from` names. Raises SettingsError for what is neither an address nor a network."""
    found = []
    for text in given:
        try:
            found.append(ipaddress.ip_network(text))
        except ValueError:
            raise SettingsError(
                f"from: `{text[:100]}` is neither an address nor a network: write 10.1.0.53 or 10.1.0.0/28"
            ) from None
    return tuple(found)


@lru_cache(maxsize=4096)
def may_send(peer: str, allowed: tuple[Network, ...]) -> bool:
    """Whether a peer's address is among `allowed`; everybody's is if that is empty."""
    if not allowed:
        return True
    address = _address(peer)
    return any(address.version == network.version and address in network for network in allowed)


def host_of(peer: str, own: str) -> str:
    """The host of an address: THIS_MACHINE for loopback, and for the address that was called (`own`)."""
    address = _address(peer)
    return THIS_MACHINE if address.is_loopback or address == _address(own) else str(address)


def _address(text: str) -> Address:
    """IPv4 in the clothes of IPv6 is IPv4; the interface by which a link's own address came is let go."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if address.version == 6 else None
    return mapped or address
