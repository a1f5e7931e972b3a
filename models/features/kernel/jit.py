"""How the kernel is compiled: by numba, without checks of bounds, kept on disk where there is a place."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

# What a division by zero gives is decided where it can happen; numpy's rule keeps loops free of checks.
_OPTIONS: Final = {"error_model": "numpy", "nogil": True}
_INNER: Final = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def jit(function: F) -> F:
    """A part of the kernel that makes no arrays, compiled into whoever calls it."""
    return numba.njit(forceinline=True, _nrt=False, **_INNER, **_OPTIONS)(function)  # type: ignore[no-any-return]


def maker(function: F) -> F:
    """A part of the kernel that makes arrays."""
    return numba.njit(**_INNER, **_OPTIONS)(function)  # type: ignore[no-any-return]


def entry(signature: str) -> Callable[[F], F]:
    """The one function that Python calls, for one set of types, compiled when it is first defined.

    Its machine code is kept beside the source, else in the user's cache (`NUMBA_CACHE_DIR` names another
    place); where neither can be written it is compiled again in every process.
    """

    def compiled(function: F) -> F:
        try:
            return numba.njit(signature, cache=True, **_OPTIONS)(function)  # type: ignore[no-any-return]
        except (RuntimeError, OSError):
            return numba.njit(signature, **_OPTIONS)(function)  # type: ignore[no-any-return]

    return compiled


def digest_of_sources() -> int:
    """A number that changes with any file of the kernel: what is kept on disk must not outlive its parts."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    text = b"".join(file.read_bytes() for file in files)
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest())
