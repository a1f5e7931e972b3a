"""Quarantine shows the shape of bad input, never its content: letters become `a`, digits `9`."""

import re
import unicodedata
from typing import Final

LIMIT: Final = 200
_DIGIT: Final = re.compile(r"\d")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f�]")
_LETTER: Final = re.compile(r"[^ -@\[-`{-~]")  # whatever is neither a blank, ASCII punctuation nor a digit


def shape(data: bytes | str, limit: int = LIMIT) -> str:
    """The first `limit` characters with every letter and digit replaced, so that nobody can be named.

    Whatever is outside ASCII becomes `a` too, for a circled or a mathematical letter is read like any other.
    Enough is left to see what kind of line it was: `Sep 14 08:31:02 x[1]: query` becomes
    `aaa 99 99:99:99 a[9]: aaaaa`.
    """
    text = data[: limit * 4].decode("utf-8", "replace") if isinstance(data, bytes) else data
    # One character may stand for many: what is normalised is cut again.
    plain = unicodedata.normalize("NFKC", text[:limit])[:limit]
    return _LETTER.sub("a", _CONTROL.sub("?", _DIGIT.sub("9", plain)))
