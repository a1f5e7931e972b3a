"""Texts that are safe to show: one line, no terminal escape, nothing unseen that turns a line round."""

import unicodedata
from typing import Final

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS: Final = "\u200c\u200d"  # invisible, and part of ordinary writing in several scripts


def is_plain(text: str) -> bool:
    """Whether a text can be shown as it is, in a terminal, a file or a page."""
    return text.isprintable() or all(
        unicodedata.category(sign) not in _UNSEEN or sign in _JOINERS for sign in text
    )


def plain(text: str) -> str:
    """The text with everything that cannot be shown as it is spelled out."""
    if text.isprintable():
        return text
    return "".join(sign if is_plain(sign) else sign.encode("unicode_escape").decode() for sign in text)
