"""Input that is nearly right: examples changed byte by byte, or changed as values and encoded again.

A decoder may take a case, or refuse it with an error that people can read. Anything else is a finding:
another exception, more than `SLOWEST` seconds, or more memory than the process may have.
"""

import json
import random
import resource
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.errors import BadInput, UsageError

SLOWEST: Final = 1.0
SPARE_BYTES: Final = 256 * 1024 * 1024
_EXTREMES: Final[tuple[Any, ...]] = (
    None, True, 0, 1, -1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**64 - 1, -(2**63),
    1e308, float("inf"), float("nan"), "", "a", "\x00", "é" * 40, "x" * 300,
    b"", b"\xff" * 40, b"0" * 70_000, [], {}, [[]] * 40, {"a": {}}, [None] * 70,
)  # fmt: skip
_HEADS: Final = (
    b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01", b"\xc1", b"1e999999",
    b"\x91" * 3000, b"[" * 3000, b'{"a":' * 3000, b"\x81\xa1a" * 3000,
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One decoder: valid examples, how they are values, and what `decode` gives back as bytes, if it can."""

    name: str
    decode: Callable[[bytes], object]
    examples: Sequence[bytes]
    to_value: Callable[[bytes], Any]
    to_bytes: Callable[[Any], bytes]
    again: Callable[[Any], bytes] | None = None


def as_msgpack(data: bytes) -> Any:
    """The value of a msgpack example."""
    return msgspec.msgpack.decode(data)


def from_msgpack(value: object) -> bytes:
    """A changed value as msgpack."""
    return msgspec.msgpack.encode(value)


def as_json(data: bytes) -> Any:
    """The value of a JSON example."""
    return json.loads(data)


def from_json(value: object) -> bytes:
    """A changed value as JSON, also where JSON has no such value."""
    return json.dumps(value, default=lambda odd: odd.decode("latin-1")).encode()


def cases(target: Target, rng: random.Random) -> Iterator[bytes]:
    """Endless."""
    values = [target.to_value(example) for example in target.examples]
    while True:
        if rng.random() < 0.5:
            try:
                data = target.to_bytes(_changed(rng.choice(values), rng, rng.randrange(1, 4)))
            except (OverflowError, ValueError, TypeError):  # no such value in this format
                continue
            yield data
            if rng.random() < 0.7:
                continue
        else:
            data = rng.choice(target.examples)
        for _ in range(rng.randrange(1, 5)):
            data = _struck(data, rng, target.examples)
        yield data


def run(target: Target, many: int, seed: int) -> Counter[str]:
    """So many cases; how many were taken, and how many refused for which reason. Raises AssertionError."""
    found: Counter[str] = Counter()
    made = cases(target, random.Random(f"{target.name} {seed}"))
    for _ in range(many):
        data = next(made)
        began = time.perf_counter()
        try:
            value = target.decode(data)
        except BadInput as error:
            found[f"refused: {error.reason}"] += 1
        except UsageError:
            found["refused"] += 1
        except Exception as error:
            raise AssertionError(f"{target.name}: {type(error).__name__} for {data[:200].hex()}") from error
        else:
            found["taken"] += 1
            _goes_round(target, value, data)
        took = time.perf_counter() - began
        assert took < SLOWEST, f"{target.name}: {took:.1f} s for {data[:200].hex()}"
    return found


@contextmanager
def little_memory() -> Iterator[None]:
    """No more than `SPARE_BYTES` above what the process has now: what wants more gets MemoryError."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _goes_round(target: Target, value: object, data: bytes) -> None:
    if target.again is not None:
        assert target.decode(target.again(value)) == value, f"{target.name}: changed by {data[:200].hex()}"


def _changed(value: Any, rng: random.Random, times: int) -> Any:
    for _ in range(times):
        value = _change(value, rng)
    return value


def _change(value: Any, rng: random.Random) -> Any:
    """A copy with one thing different, somewhere within."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        return _change_dict(value, rng.choice(list(value)), rng)
    if isinstance(value, list) and value and rng.random() < 0.9:
        return _change_list(value, rng.randrange(len(value)), rng)
    if isinstance(value, int) and rng.random() < 0.5:
        return value + rng.choice((-1, 1, 2, 255, -value))
    if isinstance(value, float) and rng.random() < 0.5:
        return value * rng.choice((-1.0, 1 + 1e-5, 2.0, 1e9))
    if isinstance(value, str | bytes) and rng.random() < 0.5:
        start, end = rng.randrange(len(value) + 1), rng.randrange(len(value) + 1)
        return value[start:end] if rng.random() < 0.5 else value * 2
    return rng.choice(_EXTREMES)


def _change_dict(value: dict[str, Any], key: str, rng: random.Random) -> dict[str, Any]:
    match rng.randrange(6):
        case 0:
            return {name: item for name, item in value.items() if name != key}
        case 1:
            return value | {rng.choice(("a", "kind", "", "\x00")): rng.choice(_EXTREMES)}
        case _:
            return value | {key: _change(value[key], rng)}


def _change_list(value: list[Any], at: int, rng: random.Random) -> list[Any]:
    match rng.randrange(8):
        case 0:
            return value[:at] + value[at + 1 :]
        case 1:
            return [*value, rng.choice(_EXTREMES)]
        case 2:
            return value[:at] + value[at : at + 1] * rng.choice((2, 100)) + value[at + 1 :]
        case 3:
            return rng.sample(value, len(value))
        case _:
            return [*value[:at], _change(value[at], rng), *value[at + 1 :]]


def _struck(data: bytes, rng: random.Random, examples: Sequence[bytes]) -> bytes:
    at, to = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
    match rng.randrange(8):
        case 0:
            return data[:at] + data[to:]
        case 1:
            return data[:to] + data[at:]
        case 2:
            return data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at:]
        case 3:
            return data[:at] + rng.choice(_HEADS) + data[at:]
        case 4:
            other = rng.choice(examples)
            return data[:at] + other[rng.randrange(len(other)) :]
        case 5:
            return data[:at] + struct.pack("<I", rng.choice((0, 2**31, 2**32 - 1))) + data[at + 4 :]
        case _:
            if not data:
                return b"\x00"
            at = min(at, len(data) - 1)
            return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]
