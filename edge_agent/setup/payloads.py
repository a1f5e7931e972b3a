"""Configuration profiles for iPads: restrictions, the Wi-Fi key, encrypted DNS; pure and deterministic.

Keys as in Apple's schema of profiles. The same agent and the same wishes give the same bytes, so that a
profile that is made again replaces the former one.
"""

import plistlib
from typing import Any, Final
from uuid import UUID, uuid5

from edge_agent.setup.wishes import Wishes

Payload = dict[str, Any]

_NAMESPACE: Final = UUID("6c0f3c1e-53a1-5d0e-9c63-0e3f6f1f7a52")


def profiles(wishes: Wishes) -> dict[str, bytes]:
    """Every profile of these wishes: file name to its content as an XML property list."""
    found = {
        "1-restrictions.mobileconfig": _profile(wishes, "restrictions", "restrictions", [_relay(wishes)])
    }
    if wishes.ssid and wishes.security:
        found["2-wifi.mobileconfig"] = _profile(wishes, "wifi", "Wi-Fi", [_wifi(wishes)])
    if wishes.encrypted:
        found["3-dns.mobileconfig"] = _dns(wishes, "dns", "DNS", wishes.dns_name, list(wishes.dns_addresses))
        for number, cart in enumerate(wishes.carts, start=1):
            file = f"3-dns-cart-{number}-{_plain(cart.room)}.mobileconfig"
            title = f"DNS of the cart in room {cart.room}"
            # One identifier for all of these: an iPad has the profile of its cart, or that of the school.
            found[file] = _dns(wishes, "dns", title, cart.name, [cart.address])
    return found


def wifi_key() -> str:
    """The key for the payload that the school's network has already, as XML."""
    return "<key>DisableAssociationMACRandomization</key>\n<true/>\n"


def _plain(room: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in room)


def _profile(wishes: Wishes, name: str, title: str, payloads: list[Payload], also: str = "") -> bytes:
    return plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": _identifier(wishes, name),
            "PayloadUUID": _uuid(wishes, name + also),
            "PayloadDisplayName": f"Common Ground: {title}",
            "PayloadDescription": _ABOUT[name],
            "PayloadOrganization": wishes.school,
            "PayloadContent": payloads,
        },
        sort_keys=True,
    )


_ABOUT: Final = {
    "restrictions": "Switches iCloud Private Relay off on the school's iPads.",
    "wifi": "The school's network, on which an iPad keeps its own hardware address.",
    "dns": "Look-ups go, encrypted, to the school's own resolver while the iPad is on the school's network.",
}


def _payload(wishes: Wishes, kind: str, name: str, title: str, also: str = "", **keys: Any) -> Payload:
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": _identifier(wishes, name),
        "PayloadUUID": _uuid(wishes, name + also),
        "PayloadDisplayName": title,
        **keys,
    }


def _relay(wishes: Wishes) -> Payload:
    name, kind = "restrictions.private-relay", "com.apple.applicationaccess"
    return _payload(wishes, kind, name, "No Private Relay", allowCloudPrivateRelay=False)


def _wifi(wishes: Wishes) -> Payload:
    secret = {"Password": wishes.password} if wishes.password else {}
    return _payload(
        wishes,
        "com.apple.wifi.managed",
        "wifi.network",
        wishes.ssid,
        SSID_STR=wishes.ssid,
        EncryptionType=wishes.security,
        AutoJoin=True,
        DisableAssociationMACRandomization=True,
        **secret,
    )


def _dns(wishes: Wishes, profile: str, title: str, name: str, addresses: list[str]) -> bytes:
    settings = _payload(
        wishes,
        "com.apple.dnsSettings.managed",
        f"{profile}.settings",
        title,
        name,
        DNSSettings={"DNSProtocol": "TLS", "ServerName": name, "ServerAddresses": addresses},
        ProhibitDisablement=True,
        OnDemandRules=_at_school(wishes),
    )
    payloads = [settings]
    if wishes.authority:
        payloads.append(
            _payload(
                wishes,
                "com.apple.security.root",
                f"{profile}.authority",
                "The school's certificate authority",
                name,
                PayloadCertificateFileName="school-authority.cer",
                PayloadContent=wishes.authority,
            )
        )
    return _profile(wishes, profile, title, payloads, name)


def _at_school(wishes: Wishes) -> list[Payload]:
    """In force on the school's network alone, known by its name or by the resolvers that it hands out."""
    known = {"SSIDMatch": [wishes.ssid]} if wishes.ssid else {"DNSServerAddressMatch": list(wishes.resolvers)}
    return [{"Action": "Connect", "InterfaceTypeMatch": "WiFi", **known}, {"Action": "Disconnect"}]


def _identifier(wishes: Wishes, name: str) -> str:
    return f"org.commonground.agent-{wishes.agent}.{name}"


def _uuid(wishes: Wishes, name: str) -> str:
    return str(uuid5(_NAMESPACE, f"{wishes.agent}/{name}")).upper()
