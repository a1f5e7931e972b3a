"""Findings about devices: how many are matched to a class, why the others are not, and who goes around."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from edge_agent.check.facts import Facts
from edge_agent.check.findings import Finding, Level
from edge_agent.check.words import counted, share

MATCHED: Final = "class"
LEFT_OUT: Final = ("staff", "opted_out")
GOOD: Final = 90.0  # percent of devices
POOR: Final = 60.0
FEW: Final = 5.0  # percent of devices: below it a miss is worth a look at most
COVERED: Final = 50.0  # percent of contacts
ENOUGH: Final = 200  # contacts


class _Miss(NamedTuple):
    """What is said of no device, of one, and of several; what to do."""

    well: str
    one: str
    several: str
    do: str


_MISSES: Final = {
    "no_lease": _Miss(
        "Every address is explained by a lease.",
        "has an address that no lease explains",
        "have an address that no lease explains",
        "Let the resolver log DHCP too (`log-dhcp` beside `log-queries`), or name the lease file:"
        ' [[addresses]] kind = "dnsmasq", path = "/var/lib/misc/dnsmasq.leases". If the firewall or Windows'
        ' gives the addresses, its log: kind = "dhcpd", "kea" or "windows".',
    ),
    "private_address": _Miss(
        "No device hides its hardware address.",
        "hides its hardware address",
        "hide their hardware address",
        "In MDM, in the Wi-Fi payload of the school’s network, set `DisableAssociationMACRandomization` to"
        " true and push it again; by hand: Settings, Wi-Fi, the network’s (i), Private Wi-Fi Address: Off."
        " Guests’ phones are right to be here.",
    ),
    "unknown_device": _Miss(
        "Every device seen is in the inventory.",
        "is not in the inventory",
        "are not in the inventory",
        "Export the inventory anew, with every device group in it. Printers, laptops and visitors’ phones are"
        " right to be here.",
    ),
    "no_class": _Miss(
        "Every device seen belongs to a class.",
        "is in the inventory and in no class",
        "are in the inventory and in no class",
        "Fill in the user of each iPad in MDM as the roster has it (or its e-mail address), and for a cart"
        " the room, spelt as in the roster or timetable.",
    ),
    "unknown_user": _Miss(
        "Every user seen has a device in the inventory.",
        "is a user’s whom no device in the inventory has",
        "are users’ whom no device in the inventory has",
        "Compare the names that the filter writes with the inventory’s user column: both must be the roster’s"
        " user names or e-mail addresses.",
    ),
}


def about_matching(facts: Facts) -> Iterator[Finding]:
    """The match rate, each kind of miss, what is left out on purpose, and devices around the resolver."""
    seen = facts.seen.devices
    left_out = {reason: seen.get(reason, 0) for reason in LEFT_OUT}
    total = sum(seen.values()) - sum(left_out.values())
    if seen:
        yield _matched(seen.get(MATCHED, 0), total)
        for reason in _MISSES:
            yield _miss(facts, reason, seen.get(reason, 0), total)
        number = sum(left_out.values())
        yield Finding(
            "devices.left_out",
            "ok",
            f"{counted(number, 'device')} of staff or opted out: let go at once.",
            left_out,
        )
        yield _bypass(facts)
    yield from _look_ups(facts)
    yield from _coverage(facts)


def _level(rate: float) -> Level:
    return "ok" if rate >= GOOD else "look" if rate >= POOR else "fix"


def _matched(matched: int, total: int) -> Finding:
    rate = share(matched, total)
    level = _level(rate)
    return Finding(
        "devices.matched",
        level,
        f"{matched:,} of {counted(total, 'device')} seen belong to a class ({rate} %).",
        {"matched": matched, "devices": total, "percent": rate},
        "" if level == "ok" else "See the reasons below, the largest first: each has its own remedy.",
    )


def _miss(facts: Facts, reason: str, number: int, total: int) -> Finding:
    miss = _MISSES[reason]
    figures: dict[str, int | float | str] = {"devices": number, "percent": share(number, total)}
    if not number:
        return Finding(f"devices.{reason}", "ok", miss.well, {"devices": 0})
    what = f"{counted(number, 'device')} {miss.one if number == 1 else miss.several}."
    do = miss.do
    ipv6 = facts.seen.unleased_ipv6
    if reason == "no_lease" and ipv6:
        figures["ipv6"] = ipv6
        do += (
            f" {counted(ipv6, 'of them has', 'of them have')} an IPv6 address, which DHCP does not know: add"
            ' [[addresses]] kind = "neighbours" with a file that `ip -6 neigh` is written to each minute.'
        )
    is_expected = reason in ("unknown_device", "no_class")  # guests and printers
    level: Level = "look" if is_expected or share(number, total) <= FEW else "fix"
    return Finding(f"devices.{reason}", level, what, figures, do)


def _bypass(facts: Facts) -> Finding:
    told = facts.bypassed
    number = told or facts.seen.silent
    if not number:
        return Finding(
            "devices.bypass", "ok", "No device is known to talk past the resolver.", {"devices": 0}
        )
    how = (
        "went around the resolver in one lesson of the last days"
        if told
        else "got an address and looked nothing up"
    )
    return Finding(
        "devices.bypass",
        "look",
        f"{counted(number, 'device of a class', 'devices of classes')} {how}.",
        {"devices": number},
        "They probably ask elsewhere: by MDM restrictions switch iCloud Private Relay off"
        " (`allowCloudPrivateRelay` false) and forbid VPNs; let the firewall close ports 53 and 853 to all"
        " but the resolver; answer `mask.icloud.com` and `mask-h2.icloud.com` with NXDOMAIN, as Apple asks.",
    )


def _look_ups(facts: Facts) -> Iterator[Finding]:
    """Of sources that leave nothing on disk devices cannot be counted afterwards, only look-ups."""
    for source in facts.sources:
        misses = {reason: n for reason, n in source.misses.items() if reason not in LEFT_OUT}
        total = source.placed + sum(misses.values())
        if source.listens and total >= ENOUGH:
            rate = share(source.placed, total)
            worst = max(misses, key=lambda reason: misses[reason], default="")
            level = _level(rate)
            yield Finding(
                f"source.{source.id}.matched",
                level,
                f"Source {source.id}: {rate} % of what it told belongs to a class.",
                {"percent": rate, **misses},
                "" if level == "ok" or worst not in _MISSES else _MISSES[worst].do,
            )


def _coverage(facts: Facts) -> Iterator[Finding]:
    total = facts.seen.listed + facts.seen.unlisted
    if total < ENOUGH:
        return
    covered = share(facts.seen.listed, total)
    good = covered >= COVERED
    yield Finding(
        "catalogue.coverage",
        "ok" if good else "look",
        f"The catalogue knows {covered} % of what was used in lessons.",
        {"percent": covered, "unlisted_names": facts.seen.unlisted_names},
        ""
        if good
        else "Apps of this school are probably missing from the catalogue: add the ones that you know.",
    )
