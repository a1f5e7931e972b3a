"""What an entry would have made of a week: which counted names it meets, and from whom it takes others."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_agent.store.met import Share, Unlisted
from models.catalogue.load import Catalogue
from models.catalogue.match import BACKGROUND, NameMatcher
from models.catalogue.overlay import Entry


@dataclass(frozen=True, slots=True)
class Meets:
    """A counted name that an entry meets; not `whole` where the entry lists only hosts below it."""

    domain: str
    contacts: int
    devices: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """`contacts` of `unlisted` would have become `becomes`; `takes` are listed names and whose they were."""

    meets: tuple[Meets, ...]
    contacts: int
    unlisted: int
    becomes: dict[str, float]
    off_task: bool
    takes: tuple[tuple[str, str], ...]


def try_entry(
    entry: Entry, catalogue: Catalogue, counted: Sequence[Unlisted], week: Sequence[Share]
) -> Tried:
    """Hold an entry against a week's counts; names that fewer than ten devices asked for are not known."""
    meets = tuple(_meets(entry.domains, counted))
    matcher = NameMatcher(catalogue)
    takes = tuple((name, whose) for name in entry.domains if (whose := owner(matcher.match(name), catalogue)))
    return Tried(
        meets,
        sum(one.contacts for one in meets),
        sum(day.unlisted for day in week),
        entry.weights(),
        entry.off_task,
        takes,
    )


def owner(found: int, catalogue: Catalogue) -> str:
    """Whose a name is, in words; nothing for one that is unlisted."""
    if found == BACKGROUND:
        return "background"
    return catalogue.apps[found - 1].name if found else ""


def _meets(domains: Sequence[str], counted: Sequence[Unlisted]) -> list[Meets]:
    found = []
    for one in counted:
        whole = any(one.domain == name or one.domain.endswith(f".{name}") for name in domains)
        if whole or any(name.endswith(f".{one.domain}") for name in domains):
            found.append(Meets(one.domain, one.contacts, one.devices, whole))
    return found
