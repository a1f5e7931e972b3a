"""The part of a host name that somebody registered: what a name may be counted by without telling of people.

A small rule of our own, not the public suffix list: that one takes `jane.github.io` for a site of its own,
and here such a name must come down to `github.io`. Where the rule does not know a suffix, several sites count
as one.
"""

from types import MappingProxyType
from typing import Final

MAX_LENGTH: Final = 80  # a longer one is nobody's app, and may be made to fill the disk

# Under any country's ending; then those of single countries.
_COMMON: Final = frozenset(
    (
        *("co", "com", "org", "net", "ltd", "plc", "nom"),
        *("edu", "ac", "sch", "k12", "gov", "gob", "gouv", "govt", "mil", "nhs", "police"),
    )
)
_OWN: Final = MappingProxyType(
    {
        country: frozenset(words.split())
        for country, words in {
            "au": "id asn csiro",
            "br": "art blog ind leg",
            "id": "desa go my or web",
            "il": "muni",
            "in": "firm gen ind nic res",
            "jp": "ad ed go gr lg ne or",
            "ke": "go me mobi ne or sc",
            "kr": "es go hs kg ms ne or pe re sc",
            "nz": "cri geek gen health iwi kiwi maori parliament school",
            "th": "go in mi or",
            "tw": "club ebiz game idv",
            "tz": "go hotel me mobi ne or sc",
            "ug": "go ne or sc",
            "uk": "me",
            "za": "alt law school web",
        }.items()
    }
)
_PRIVATE_SCHOOLS: Final = frozenset(("chtr", "paroch", "pvt"))  # of k12.ma.us


def registrable(name: str) -> str:
    """`play.khanacademy.org` as `khanacademy.org`; nothing for an address, a suffix alone, or an odd name.

    name: in lower case, without a dot at its end; any text is safe.
    """
    labels = name.split(".")
    ending = labels[-1]
    if not (ending.isascii() and (ending.isalpha() or ending.startswith("xn--")) and len(ending) > 1):
        return ""
    count = _labels(labels)
    found = ".".join(labels[-count:])
    kept = len(labels) >= count and all(labels[-count:]) and len(found) <= MAX_LENGTH
    return found if kept else ""


def _labels(labels: list[str]) -> int:
    """How many labels the registered part has."""
    before, country = labels[-2] if len(labels) > 1 else "", labels[-1]
    if len(country) != 2:
        return 2
    if country == "us" and len(before) == 2:
        if labels[-3:-2] != ["k12"]:
            return 3
        return 5 if labels[-4:-3] and labels[-4] in _PRIVATE_SCHOOLS else 4
    if (before, country) == ("sch", "uk"):
        return 4
    return 3 if before in _COMMON or before in _OWN.get(country, ()) else 2
