"""One name for each person, whichever of their identifiers the device inventory was filled with."""

from collections.abc import Iterable, Sequence


class Names:
    """Chooses among the identifiers that a roster has of a person; holds users of the inventory only."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = {user.casefold(): user for user in known if user}

    def one(self, candidates: Sequence[str]) -> str:
        """The inventory's own spelling of the first candidate it knows; else the first there is, or ""."""
        given = [name for name in candidates if name]
        for name in given:
            found = self._known.get(name.casefold())
            if found is not None:
                return found
        return given[0] if given else ""

    def every(self, candidates: Sequence[str]) -> set[str]:
        """All candidates, and how the inventory spells them: a teacher's iPad must be known by any."""
        given = {name for name in candidates if name}
        return given | {self._known[name.casefold()] for name in given if name.casefold() in self._known}
