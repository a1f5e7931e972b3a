"""Files that appear whole or not at all: written beside their name, then renamed."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from shared.errors import UsageError


@contextmanager
def replacing(path: Path, instead: str) -> Iterator[BinaryIO]:
    """A draft beside `path` that takes its place when the block ends well, and is removed otherwise.

    Raises UsageError, before the block runs, when `path` cannot be written; `instead` says what to do.
    """
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        file = _opened(path, draft)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; {instead}") from None
    try:
        with file:
            yield file
        if draft.exists():
            draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _opened(path: Path, draft: Path) -> BinaryIO:
    if path.exists():
        file = path.open("ab")  # fails for a directory, and for what its owner protects
        if not path.is_file():  # a pipe or a device can be written, not replaced
            return file
        file.close()
    return draft.open("xb")
