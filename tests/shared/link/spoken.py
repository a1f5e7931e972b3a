"""Recorded frames: each minor version as it was spoken, in bytes and in values, kept for ever.

`python -m tests.shared.link.spoken` adds the file of the minor version now spoken, if it is not there yet.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from shared.link import frames
from shared.link.frames import MINOR, encode

FOLDER = Path(__file__).parent / "recorded"
KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

EXAMPLES: tuple[frames.ToReceiver | frames.ToSender, ...] = (
    frames.Hello(1, "records", 1_750_000_000_000, 2**53, 1),
    frames.Batch(1_750_000_000_000, 300, b"payload", b"position"),
    frames.Batch(3, 1, b"", None),
    frames.Join(bytes(range(24)), "Zoë's Primary"),
    frames.Renew(KEY),
    frames.Ask("catalogue:2026-1", 255),
    frames.Welcome(
        1, 3, 7, 9, b"here", 65536, 32, (frames.Rejection(8, "bad_payload"), frames.Rejection(9, "x")), 1, KEY
    ),
    frames.Welcome(1, 3, 7, 0, None, 65536, 8, (), 0, ""),
    frames.Refused("version", 0, 1, 1),
    frames.Refused("old_epoch", 1_750_000_000_001, 0, 0),
    frames.Ack(3, 70_000),
    frames.Reject(3, 9, "bad_payload"),
    frames.Busy(250),
    frames.Expect(3, 10),
    frames.Joined(),
    frames.Renewed(KEY, ""),
    frames.Renewed(KEY, "key_of_another_school"),
    frames.Told("catalogue:2026-1", bytes(range(16)), 1, 2, b"the second part"),
    frames.Told("catalogue:2026-1", b"", 0, 0, b""),
)


def values(frame: frames.ToReceiver | frames.ToSender) -> dict[str, Any]:
    """The fields by name, bytes as hexadecimal text."""
    return {name: _plain(getattr(frame, name)) for name in frame.__struct_fields__}


def entries(examples: Iterable[frames.ToReceiver | frames.ToSender]) -> list[dict[str, Any]]:
    """What a file holds."""
    return [{"frame": type(f).__name__, "bytes": encode(f).hex(), "values": values(f)} for f in examples]


def recorded(minor: int) -> list[dict[str, Any]]:
    """One minor version's file."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"minor_{minor}.json").read_text(encoding="utf-8"))
    return found


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [list(msgspec.structs.astuple(each)) for each in value]
    return value


if __name__ == "__main__":
    with (FOLDER / f"minor_{MINOR}.json").open("x", encoding="utf-8") as file:
        json.dump(entries(EXAMPLES), file, indent=1, ensure_ascii=False)
        file.write("\n")
