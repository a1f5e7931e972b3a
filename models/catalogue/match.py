"""Gives a host name its app: the longest listed suffix wins, over apps and background together."""

from typing import Final

from models.catalogue.load import Catalogue

UNLISTED: Final = 0
BACKGROUND: Final = -1

MAX_NAME: Final = 253  # of a host name in text form (RFC 1035, section 3.1)


class NameMatcher:
    """Matches host names against a catalogue; names seen before cost one dict look-up.

    At most `remembered` names are kept; then the memo starts afresh, so odd names cannot fill the memory.
    """

    def __init__(self, catalogue: Catalogue, *, remembered: int = 65_536) -> None:
        self._suffixes = dict.fromkeys(catalogue.background, BACKGROUND)
        for index, app in enumerate(catalogue.apps, start=1):
            self._suffixes.update(dict.fromkeys(app.domains, index))
        self._most_labels = max((name.count(".") + 1 for name in self._suffixes), default=0)
        self._remembered = remembered
        self._memo: dict[str, int] = {}

    def match(self, name: str) -> int:
        """An app's index from 1, 0 for a name that is unlisted or no host name, or BACKGROUND.

        Case and one trailing dot do not matter. Any text is safe; none raises.
        """
        found = self._memo.get(name)
        return self._look_up(name) if found is None else found

    def _look_up(self, name: str) -> int:
        # Too long to be a name: not worth remembering either, for the memo is bounded by entries.
        if len(name) > MAX_NAME + 1:
            return UNLISTED
        found = self._longest_suffix(name) if name.isascii() and name.isprintable() else UNLISTED
        if len(self._memo) >= self._remembered:
            self._memo.clear()
        self._memo[name] = found
        return found

    def _longest_suffix(self, name: str) -> int:
        labels = name.lower().removesuffix(".").rsplit(".", self._most_labels)[-self._most_labels :]
        for start in range(len(labels)):
            found = self._suffixes.get(".".join(labels[start:]))
            if found is not None:
                return found
        return UNLISTED
