"""How the kernel is compiled: by numba, without checks of bounds, kept on disk where there is a place."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import numba

from shared import words

F = TypeVar("F", bound=Callable[..., Any])

_njit: Final[Any] = numba.njit

# What a division by zero gives is decided where it can happen; numpy's rule keeps loops free of checks.
_OPTIONS: Final = {"error_model": "numpy", "nogil": True}
# Python calls none of these, and those that make no arrays need not count who holds one: a third of the time.
_INNER: Final = {**_OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def jit(function: F) -> F:
    """A part of the kernel that makes no arrays, compiled into whoever calls it."""
    compiled: F = _njit(forceinline=True, _nrt=False, **_INNER)(function)
    return compiled


def aside(function: F) -> F:
    """A part that is called rarely, or takes long: kept out of its callers, which compile faster so."""
    compiled: F = _njit(_nrt=False, **_INNER)(function)
    return compiled


def maker(function: F) -> F:
    """A part of the kernel that makes arrays."""
    compiled: F = _njit(**_INNER)(function)
    return compiled


def entry(signature: str) -> Callable[[F], F]:
    """The one function that Python calls, for one set of types, compiled when it is first defined.

    Its machine code is kept beside the source, else in the user's cache (`NUMBA_CACHE_DIR` names another
    place); where neither can be written it is compiled again in every process.
    """

    def compile_it(function: F) -> F:
        compiled: F
        try:
            compiled = _njit(signature, cache=True, **_OPTIONS)(function)
        except (RuntimeError, OSError):
            compiled = _njit(signature, **_OPTIONS)(function)
        return compiled

    return compile_it


def digest_of_sources() -> int:
    """A number that changes with any file the kernel is made of: numba itself watches one file only."""
    files = [*sorted(Path(__file__).parent.parent.rglob("*.py")), Path(words.__file__)]
    text = b"".join(file.read_bytes() for file in files)
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest())
