"""What a district's entries take from the shipped catalogue, so that a hub in bad hands is seen by it."""

from dataclasses import dataclass
from typing import Final

from edge_agent.catalogue.trying import owner
from models.catalogue.load import Catalogue
from models.catalogue.match import UNLISTED, NameMatcher
from models.catalogue.overlay import Entry, Overlay

OUT_OF_USE: Final = "out of use"
OFF_TASK: Final = "off task"
NO_USE: Final = "no use"
SHARES: Final = "shares of its own"


@dataclass(frozen=True, slots=True)
class Overruled:
    """A name (or an id) that the shipped catalogue has as `shipped`'s, and what the district makes of it."""

    name: str
    shipped: str
    becomes: str


def overruled(shipped: Catalogue, overlay: Overlay) -> tuple[Overruled, ...]:
    """Every one of them, in the overlay's order: what a school should look at. New names are none."""
    matcher = NameMatcher(shipped)
    found = []
    named = [(name, NO_USE) for name in overlay.background]
    for entry in overlay.app:
        if entry.id in shipped.by_id:
            app = shipped.apps[shipped.by_id[entry.id] - 1]
            found.append(Overruled(entry.id, app.name, OUT_OF_USE))
        named += [(name, becomes(entry)) for name in entry.domains]
    for name, what in named:
        whose = matcher.match(name)
        if whose != UNLISTED:
            found.append(Overruled(name, owner(whose, shipped), what))
    return tuple(found)


def becomes(entry: Entry) -> str:
    """What a contact with the entry is, in words."""
    return OFF_TASK if entry.off_task else entry.function or SHARES
