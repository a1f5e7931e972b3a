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
        # By the last two labels of a suffix: how many more the longest one that ends so has.
        self._more: dict[str, int] = {}
        for suffix in self._suffixes:
            labels = suffix.rsplit(".", 2)[-2:]
            end = ".".join(labels)
            self._more[end] = max(self._more.get(end, 0), suffix.count(".") + 1 - len(labels))
        self._has_single = any("." not in suffix for suffix in self._suffixes)
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
        found = UNLISTED
        if name.isascii() and name.isprintable():
            text = name.lower()
            if text[-1:] == ".":
                text = text[:-1]
            last = text.rfind(".")
            before = text.rfind(".", 0, last) if last > 0 else -1
            end = text[before + 1 :]
            # Most names end as no suffix does: that is one look.
            if end in self._more:
                found = self._longest_suffix(text, before, end)
            elif self._has_single:
                found = self._suffixes.get(text[last + 1 :], UNLISTED)
        if len(self._memo) >= self._remembered:
            self._memo.clear()
        self._memo[name] = found
        return found

    def _longest_suffix(self, text: str, before: int, end: str) -> int:
        """Of a name whose last two labels, `end`, stand behind `before` (-1: they are all of it)."""
        found = self._suffixes.get(end)
        for _ in range(self._more[end]):
            if before < 0:
                break
            before = text.rfind(".", 0, before) if before else -1
            found = self._suffixes.get(text[before + 1 :], found)
        if found is None and self._has_single:
            found = self._suffixes.get(text[text.rfind(".") + 1 :])
        return UNLISTED if found is None else found
