"""What a school wants its MDM to be told, checked before anything is written."""

import binascii
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from shared.errors import UsageError

SECURITY: Final = ("WPA", "WPA2", "WPA3", "Any", "None")
_NAME: Final = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_PEM: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.MULTILINE
)
MOST_CERTIFICATE_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart's own name and address of the resolver: whoever asks there belongs to the room."""

    room: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Wishes:
    """The whole of it. `agent` makes identifiers of its own; `authority` is a certificate, DER, or empty."""

    school: str
    agent: str
    ssid: str = ""
    security: str = ""
    password: str = ""
    dns_name: str = ""
    dns_addresses: tuple[str, ...] = ()
    carts: tuple[Cart, ...] = ()
    authority: bytes = b""

    @property
    def encrypted(self) -> bool:
        """Whether the stronger way is wanted."""
        return bool(self.dns_name)

    @property
    def resolvers(self) -> tuple[str, ...]:
        """Every address at which the resolver answers."""
        return (*self.dns_addresses, *(cart.address for cart in self.carts))


def checked(wishes: Wishes) -> Wishes:
    """The same, or UsageError with what to say instead."""
    if len(wishes.ssid.encode()) > 32 or (wishes.ssid and not wishes.ssid.isprintable()):
        raise UsageError("--ssid is the network's name: at most 32 bytes, printable")
    if wishes.security and wishes.security not in SECURITY:
        raise UsageError(
            f"--security is one of {', '.join(SECURITY)}: an 802.1X network keeps its own payload"
        )
    if (wishes.security or wishes.password) and not wishes.ssid:
        raise UsageError("--security and --wifi-password are of a network: give its name with --ssid")
    if wishes.password and wishes.security in ("", "None"):
        raise UsageError("--wifi-password is for a network with a key: say --security WPA2 or WPA3")
    if bool(wishes.dns_name) != bool(wishes.dns_addresses):
        raise UsageError("encrypted DNS needs both --dns-name and --dns-address (repeat it for a second one)")
    if wishes.carts and not wishes.dns_name:
        raise UsageError(
            "a cart has its own name of the school's resolver: give --dns-name and --dns-address"
        )
    if wishes.authority and not wishes.dns_name:
        raise UsageError("--ca is for encrypted DNS: give --dns-name and --dns-address too")
    for name in filter(None, (wishes.dns_name, *(cart.name for cart in wishes.carts))):
        if not _NAME.fullmatch(name):
            raise UsageError(f"`{name}` is no host name: write one such as dns.school.example")
    for address in wishes.resolvers:
        _check_address(address)
    _check_once((wishes.dns_name, *(cart.name for cart in wishes.carts)), "name")
    _check_once(wishes.resolvers, "address")
    return wishes


def cart(text: str) -> Cart:
    """`ROOM=NAME=ADDRESS`; raises UsageError."""
    room, name, address = ([part.strip() for part in text.split("=")] + ["", ""])[:3]
    if text.count("=") != 2 or not room or not room.isprintable() or len(room) > 64:
        raise UsageError(
            f"`--cart {text}`: write ROOM=NAME=ADDRESS, such as 12=cart12.school.example=10.1.0.112"
        )
    return Cart(room, name.lower(), address)


def certificate(data: bytes) -> bytes:
    """One certificate, PEM or DER, as DER; raises UsageError, above all for a file with a private key."""
    if b"PRIVATE KEY" in data:
        raise UsageError("this file holds a private key, which no device needs: give the certificate alone")
    if len(data) > MOST_CERTIFICATE_BYTES:
        raise UsageError("this is no certificate: it is too large")
    found = _PEM.findall(data)
    if len(found) > 1:
        raise UsageError("this file holds several certificates: give the one of the school's own authority")
    try:
        der = ssl.PEM_cert_to_DER_cert(found[0].decode()) if found else data
    except (ValueError, binascii.Error):
        der = b""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=der)
    except (ssl.SSLError, ValueError):
        raise UsageError("this is no certificate: give it as PEM or DER") from None
    return der


def _check_address(address: str) -> None:
    try:
        found = ip_address(address)
    except ValueError:
        raise UsageError(f"`{address}` is no IP address: write one such as 10.1.0.53") from None
    if found.is_unspecified or found.is_multicast or str(found) != address:
        raise UsageError(f"`{address}`: give one address of the resolver, written as {found}")


def _check_once(values: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for value in filter(None, values):
        if value in seen:
            raise UsageError(f"{what} `{value}` is given twice: each cart needs one of its own")
        seen.add(value)
