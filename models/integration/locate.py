"""Where things stand in a TOML text: the standard library's parser gives values, this gives their lines."""

import re
import tomllib
from bisect import bisect_right
from contextlib import suppress
from typing import Final

Place = tuple[str | int, ...]
"""A key path: names of tables and keys, and indexes into arrays; `("dimensions", 0, "name")`."""

DEEPEST: Final = 12

_GAP: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANKS: Final = re.compile(r"[ \t]*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS: Final = (
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})',
    r"'''.*?'''(?:'{0,2})",
    r'"(?:\\.|[^"\\\n])*"',
    r"'[^'\n]*'",
)
_STRING: Final = re.compile("|".join(_STRINGS), re.DOTALL)
_BARE_VALUE: Final = re.compile(r"[^\s,\]}#]+(?: [0-9][^\s,\]}#]*)?")


class TooDeep(Exception):  # noqa: N818 - it names the text, not the fault
    """Keys or arrays lie deeper in one another than any settings file needs; `line` from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


class _Lost(Exception):  # noqa: N818 - the parser proper will say what is wrong
    """The text stopped being TOML."""


def lines_of(text: str) -> dict[Place, int]:
    """The line, from 1, of every table, key and array element of a TOML text.

    Of a text that is not TOML it gives what stands before the fault. Raises TooDeep.
    """
    scan = _Scan(text)
    with suppress(_Lost):
        scan.document()
    return scan.lines


def nearest_line(lines: dict[Place, int], place: Place) -> int:
    """The line of a place, or of the table around it where the place itself is missing."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


class _Scan:
    """One pass over the text by TOML's lexical rules; it checks nothing that the parser proper checks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Place, int] = {}
        self._breaks = [found.start() for found in re.finditer("\n", text)]
        self._elements: dict[Place, int] = {}  # how many tables each array of tables has so far

    def document(self) -> None:
        table: Place = ()
        self._skip(_GAP)
        while self.at < len(self.text):
            if self._take("[["):
                table = self._element(self._key())
                self._expect("]]")
            elif self._take("["):
                table = self._resolved(self._key())
                self._expect("]")
            else:
                self._pair(table)
            self._skip(_GAP)

    def _resolved(self, names: tuple[str, ...]) -> Place:
        """A header's place: a name that is an array of tables means its latest element."""
        place: Place = ()
        for name in names:
            place = self._mark((*place, name))
            if place in self._elements:
                place = (*place, self._elements[place] - 1)
        return place

    def _element(self, names: tuple[str, ...]) -> Place:
        array = self._mark((*self._resolved(names[:-1]), names[-1]))
        index = self._elements.get(array, 0)
        self._elements[array] = index + 1
        return self._mark((*array, index))

    def _pair(self, table: Place) -> None:
        place = table
        for name in self._key():
            place = self._mark((*place, name))
        self._expect("=")
        self._value(place)

    def _value(self, place: Place) -> None:
        if len(place) > DEEPEST:
            raise TooDeep(self._line())
        self._skip(_BLANKS)
        if self._take("["):
            self._array(place)
        elif self._take("{"):
            self._inline_table(place)
        elif not (self._skip(_STRING) or self._skip(_BARE_VALUE)):
            raise _Lost

    def _array(self, place: Place) -> None:
        index = 0
        self._skip(_GAP)
        while not self._take("]"):
            self._mark((*place, index))
            self._value((*place, index))
            index += 1
            self._skip(_GAP)
            if not self._take(","):
                self._expect("]")
                return
            self._skip(_GAP)

    def _inline_table(self, place: Place) -> None:
        self._skip(_GAP)
        while not self._take("}"):
            self._pair(place)
            self._skip(_GAP)
            if not self._take(","):
                self._expect("}")
                return
            self._skip(_GAP)

    def _key(self) -> tuple[str, ...]:
        names = [self._name()]
        while self._take("."):
            names.append(self._name())
            if len(names) > DEEPEST:
                raise TooDeep(self._line())
        return tuple(names)

    def _name(self) -> str:
        self._skip(_BLANKS)
        bare = self._skip(_BARE_KEY)
        raw = bare or self._skip(_STRING)
        self._skip(_BLANKS)
        if not raw:
            raise _Lost
        if bare:
            return bare
        try:
            return str(tomllib.loads(f"name = {raw}")["name"])
        except tomllib.TOMLDecodeError:
            raise _Lost from None

    def _mark(self, place: Place) -> Place:
        self.lines.setdefault(place, self._line())
        return place

    def _line(self) -> int:
        return bisect_right(self._breaks, self.at - 1) + 1

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            return ""
        self.at = found.end()
        return found.group()

    def _take(self, token: str) -> bool:
        found = self.text.startswith(token, self.at)
        if found:
            self.at += len(token)
        return found

    def _expect(self, token: str) -> None:
        self._skip(_BLANKS)
        if not self._take(token):
            raise _Lost
