"""Takes people and machines out of host names: what a filter, or a machine's own name, put into a query.

A Securly query such as `jane.janes-ipad.0a1b2c3d.securly.com` names a person; `janes-ipad.local` a machine.
"""

import re
from types import MappingProxyType
from typing import Final

# Suffix: what may stand before it. Everything else there is made of users' and hosts' names, or of addresses.
_FILTERS: Final = frozenset(("www", "useast-www", "uswest-www"))
_NOTHING: Final[frozenset[str]] = frozenset()
_SUFFIXES: Final = MappingProxyType(
    {
        "securly.com": _FILTERS,
        "local": _NOTHING,
        "localdomain": _NOTHING,
        "localhost": _NOTHING,
        "wpad": _NOTHING,
        "lan": _NOTHING,
        "home": _NOTHING,
        "internal": _NOTHING,
        "intranet": _NOTHING,
        "private": _NOTHING,
        "corp": _NOTHING,
        "home.arpa": _NOTHING,
        "arpa": _NOTHING,
        "in-addr.arpa": _NOTHING,
        "ip6.arpa": _NOTHING,
    }
)
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}")


def scrub_name(name: str) -> str:
    """The end of a name that names nobody, in lower case and without a dot at its end.

    It is the name itself, unless it ends like one of a filter's or of a machine on the school's own network
    (then what stands before that end goes), has a label that is no host's (`jane@school`, `jane's ipad`; then
    that and what stands before it goes), or is one label alone (a machine's: then nothing is left). Never
    longer than what was given; scrubbing twice changes nothing more.
    """
    labels = name.lower().removesuffix(".").split(".")
    for count in (2, 1):
        suffix = ".".join(labels[-count:])
        allowed = _SUFFIXES.get(suffix)
        if allowed is not None:
            before = labels[-count - 1 : -count]
            keep = count + (bool(before) and before[0] in allowed)
            return ".".join(labels[-keep:])
    clean = 0
    for label in reversed(labels):
        if not _LABEL.fullmatch(label):
            break
        clean += 1
    return ".".join(labels[len(labels) - clean :]) if clean > 1 else ""
