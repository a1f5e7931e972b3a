"""The page beside the profiles: what each is, what it needs, how to try it and how to take it back."""

from collections.abc import Iterable
from typing import Final

from edge_agent.setup.payloads import wifi_key
from edge_agent.setup.wishes import Wishes


def readme(wishes: Wishes, files: Iterable[str]) -> str:
    """Markdown for the folder that holds `files`."""
    parts = [
        f"# Profiles for the MDM of {wishes.school}\n",
        _ABOUT,
        _table(wishes, files),
        _ORDER,
        _ordinary(wishes),
    ]
    if wishes.encrypted:
        parts.append(_stronger(wishes))
    if wishes.carts:
        parts.append(_carts(wishes))
    hurry = _STRONGER_HURRY if wishes.encrypted else _ORDINARY_HURRY
    return "\n".join([*parts, f"{_HURRY}{hurry}{_BACK}"])


def _table(wishes: Wishes, files: Iterable[str]) -> str:
    rows = ["| file | what it does | needs |", "|---|---|---|"]
    for file in files:
        about = next((words for start, words in _FILES.items() if file.startswith(start)), None)
        if about:
            rows.append(f"| `{file}` | {about[0]} | {about[1]} |")
    return "\n".join(rows) + "\n"


_ABOUT: Final = """\
Made by `commonground agent profile`. Made again with the same words they are the same, and replace what is
installed. Nothing here holds a key of the agent.
"""

_FILES: Final = {
    "1-": ("iCloud Private Relay off", "iPadOS 15, **supervised**"),
    "2-": ("the school's Wi-Fi, with the iPad's own hardware address", "iPadOS 14; not by User Enrolment"),
    "3-dns-cart": (
        "encrypted DNS under a cart's own name",
        "iPadOS 14; supervised, so that nobody switches it off",
    ),
    "3-dns": (
        "encrypted DNS to the school's resolver",
        "iPadOS 14; supervised, so that nobody switches it off",
    ),
    "resolver/unbound": ("for the machine that runs Unbound", "Unbound 1.17 or newer, built with dnstap"),
    "resolver/dnsmasq": ("for the machine that runs dnsmasq", "dnsmasq 2.86 or newer"),
    "resolver/pihole": ("for the machine that runs Pi-hole", "Pi-hole 5 or 6"),
    "firewall": ("a request to send to whoever runs the firewall", "nothing"),
}

_ORDER: Final = """\
## In this order

1. **The resolver's side** (`resolver/`), then look whether names still resolve.
2. **One cart, or one class set.** In the MDM make a device group with these iPads alone, upload the
   profiles as custom profiles, and assign them to that group.
3. On one of the iPads: Settings, General, VPN & Device Management shows the profiles; Settings, Wi-Fi, the
   network's (i) shows Private Wi-Fi Address off. Open an app, then on the agent: `commonground agent check
   DIR`.
4. Leave it for a school day. Then the fleet, then the firewall.
"""


def _ordinary(wishes: Wishes) -> str:
    complete = bool(wishes.ssid and wishes.security)
    if complete:
        secret = (
            "It holds the network's password **in clear**, because that was asked for: keep the file where\n"
            "you keep passwords, and remove it once the MDM has it."
            if wishes.password
            else "It holds no password: enter it in the MDM, or whoever holds the iPad is asked for it."
        )
        wifi = (
            f"`2-wifi.mobileconfig` is a whole payload for `{wishes.ssid}`. Two payloads for one network\n"
            f"contradict each other: take the former one away in the same step. {secret}"
        )
    else:
        wifi = (
            "The network's payload is yours already and stays; only one key is added to it. In most\n"
            'MDMs it is a box called "Disable MAC address randomization" or "Private address: off". As '
            "XML:\n\n"
            f"```xml\n{wifi_key()}```"
        )
    return f"""\
## The ordinary way: the resolver that DHCP hands out

The iPads ask the resolver that the network names, as they do today. Two things keep them from it or hide
them:

**Private Relay.** `1-restrictions.mobileconfig` sets `allowCloudPrivateRelay` to false. It works on
supervised iPads alone; on others the resolver's answer (no such name for `mask.icloud.com` and
`mask-h2.icloud.com`) does the same while they are at school. Several restriction profiles add up: nothing
else of yours changes.

**Private addresses.** {wifi}

Settings then says on that network that it has reduced privacy protections. That is right: say so to
parents. At home and on every other network the iPad goes on making up its address. Devices by User
Enrolment refuse this key.
"""


def _stronger(wishes: Wishes) -> str:
    where = (
        f"on `{wishes.ssid}`"
        if wishes.ssid
        else "where the network hands out one of the resolver's addresses"
    )
    trust = (
        "The certificate of the school's own authority is in the profile. Installed by MDM it is trusted\n"
        "for TLS without anybody touching the iPad; installed by hand it is not, until it is switched on in\n"
        "Settings, General, About, Certificate Trust Settings. It can then vouch for any name: guard its\n"
        "key, or use a public certificate."
        if wishes.authority
        else "No authority is in the profile: the resolver needs a certificate that iPads trust already, a\n"
        "public one."
    )
    addresses = ", ".join(wishes.dns_addresses)
    return f"""\
## The stronger way: encrypted DNS

`3-dns.mobileconfig` sends every look-up by TLS to `{wishes.dns_name}` ({addresses}), {where}, and nowhere
else: at home it is not in force. Installed by MDM, such settings cover Wi-Fi networks that the MDM manages;
an iPad on a network that somebody typed in goes the ordinary way. `ProhibitDisablement` counts on
supervised iPads alone.

{trust}

**If the resolver is down, names do not resolve on the school's network**: iPads do not fall back to the
plain one (the setting that would allow it came with iPadOS 26 and is off unless set; it is not set here).
So:

- run two resolvers and give both addresses (`--dns-address` twice);
- watch the certificate's end: an expired one is a resolver that is down;
- know the way back before you need it: below, "In a hurry".

A filter that carries DNS itself (by DoH or a PAC file) and this profile exclude each other: use the
filter's export.
"""


def _carts(wishes: Wishes) -> str:
    rows = "\n".join(f"| {cart.room} | `{cart.name}` | {cart.address} |" for cart in wishes.carts)
    lines = "\n".join(
        f'[[carts]]\nserver = "{cart.address}"\nroom = {_quoted(cart.room)}\n' for cart in wishes.carts
    )
    return f"""\
## One name a cart

| room | name | address |
|---|---|---|
{rows}

Each address is one more address of the same resolver machine. An iPad that asks there is of that cart,
whatever hardware address it shows. Give a cart's group its own profile **instead of** `3-dns.mobileconfig`:
both have the same identifier, so the later one replaces the earlier. An MDM that gives identifiers of its
own (look at the profile on an iPad) would install both: then no group may have two. **No cart's profile on an
iPad whose family said no**: one that hides its address could not be told from the others. Then say it to the
agent, in `agent.toml`:

```toml
{lines}```

It needs dnstap (the address that was asked stands in no log line), the cart's iPads in the inventory with
their room, and resolver and agent's dnstap source on the agent itself, not behind `commonground collect`. A
device is then told from another by its address of that day alone: one that changes address in mid-lesson
counts as two.
"""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_HURRY: Final = """\
## In a hurry, and taking it back

"""

_STRONGER_HURRY: Final = """\
- **Names do not resolve:** in the MDM unassign the `3-dns` profile. iPads that are offline by then: another
  network (a phone's hotspot) lets them hear of it, since the profile is not in force there.
"""

_ORDINARY_HURRY: Final = """\
- **Names do not resolve:** take the snippet out of the resolver's folder and restart it. No profile here has
  anything to do with names.
"""

_BACK: Final = """\
- **For good:** unassign the profiles in the MDM, set the Wi-Fi key back to false, remove the resolver's
  snippet and restart it, take the firewall's rules back. Nothing else was changed on any iPad.
"""
