"""What the threads of sources make of errors: whether what was read is to blame, and what is said of it."""

import errno
import sqlite3
import traceback
from typing import Final

import structlog

from shared.errors import BadInput, CommonGroundError

RETRY_SECONDS: Final = 2.0
BEAT_SECONDS: Final = 10.0
_PASSING: Final = (CommonGroundError, OSError, sqlite3.Error, MemoryError)  # the link, the keys, the store


class Poison(Exception):  # noqa: N818 - it names what was read
    """Something in what was read breaks the program; `__cause__` says how."""


def is_poison(error: Exception) -> bool:
    """Whether what was read is to blame; else the same may pass later."""
    return isinstance(error, BadInput) or not isinstance(error, _PASSING)


def is_full(error: Exception) -> bool:
    """Whether the disk is full."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def report(log: structlog.stdlib.BoundLogger, error: BaseException) -> None:
    """Into the agent's log, the kind and the place only: a message may quote what was received."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.error("source failed", kind=type(error).__name__, file=place.filename, line=place.lineno)


def broken(error: Exception) -> str:
    """What a status page says of an error in the program."""
    return f"cannot go on: {type(error).__name__} in the program; report it with the agent's log"
