"""Who may send to a listener: the addresses and networks that `from` names, or everybody if it names none."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from edge_agent.sources.places import THIS_MACHINE
from shared.errors import SettingsError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAPPED: Final = 96  # bits of IPv6 before the IPv4 in it


def networks(given: Sequence[str]) -> tuple[Network, ...]:
    """What `from` names. Raises SettingsError for what is neither an address nor a network."""
    return tuple(map(_network, given))


def _network(text: str) -> Network:
    """IPv4 in the clothes of IPv6 is IPv4 here too, or it would let in nobody."""
    address, zone, _ = text.partition("%")
    if zone:
        raise SettingsError(
            f"from: `{text[:100]}` names an interface, which is not looked at: write {address}"
        )
    try:
        found = ipaddress.ip_network(text)
    except ValueError:
        raise SettingsError(f"from: {_what_is_wrong(text)}") from None
    mapped = found.network_address.ipv4_mapped if found.version == 6 else None
    return found if mapped is None else ipaddress.ip_network((mapped, found.prefixlen - _MAPPED))


def _what_is_wrong(text: str) -> str:
    try:
        around = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"`{text[:100]}` is neither an address nor a network: write 10.1.0.53 or 10.1.0.0/28"
    one = text.partition("/")[0]
    return f"`{text}` is an address within a network: write {one} for it alone, or {around} for all of them"


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
