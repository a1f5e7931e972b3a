"""Gives a host name its app: the longest listed suffix wins, over apps and background together."""

from collections.abc import Sequence
from typing import Final

from models.catalogue.load import Catalogue
from models.catalogue.suffixes import MAX_NAME, Ints, Suffixes

UNLISTED: Final = 0
BACKGROUND: Final = -1


class NameMatcher:
    """Matches host names against a catalogue: an app's index from 1, UNLISTED for a name that is unlisted or
    no host name, or BACKGROUND. Case and one trailing dot do not matter. Any text is safe; none raises.

    A name seen before costs `match` one dict look-up. At most `remembered` names are kept; then the memo
    starts afresh, so odd names cannot fill the memory.
    """

    def __init__(self, catalogue: Catalogue, *, remembered: int = 65_536) -> None:
        owners = dict.fromkeys(catalogue.background, BACKGROUND)
        for index, app in enumerate(catalogue.apps, start=1):
            owners.update(dict.fromkeys(app.domains, index))
        self._suffixes = Suffixes(owners)
        self._remembered = remembered
        self._memo: dict[str, int] = {}

    def match(self, name: str) -> int:
        """What one name stands for."""
        found = self._memo.get(name)
        if found is None:
            found = self._suffixes.find(name)
            # One too long to be a name is not worth remembering, for the memo is bounded by entries.
            if len(name) <= MAX_NAME + 1:
                if len(self._memo) >= self._remembered:
                    self._memo.clear()
                self._memo[name] = found
        return found

    def match_all(self, names: Sequence[str]) -> Ints:
        """What many names stand for [n], soonest if they are new: none is remembered."""
        return self._suffixes.find_all(names)
