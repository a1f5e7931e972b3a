"""A password or passphrase from a file, standard input or a terminal: never from the command line itself."""

import sys
from pathlib import Path

from shared.errors import UsageError


def secret_word(given: str, what: str) -> str:
    """The first line of the file `given`, or of standard input for `-`; `what` is what messages call it."""
    try:
        text = sys.stdin.readline() if given == "-" else Path(given).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        # Not repeated: somebody may have put the secret itself here, and logs keep command lines.
        raise UsageError(f"{what} cannot be read: give the path of its file, or - to paste it") from None
    word = text.splitlines()[0].strip() if text.strip() else ""
    if not word:
        raise UsageError(f"{what} is empty: put it on the first line")
    return word
