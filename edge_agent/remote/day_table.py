"""All that a collector on another machine is told of one local day: addresses of the hardware, no names.

The agent has put in the pseudonyms already. So neither the day's key, nor a serial number, nor a user name,
nor a class's own id ever reaches that machine; what it holds, in memory only, means nothing on the next day.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from edge_agent.days import day_start
from edge_agent.identity.directory import Directory
from edge_agent.identity.hardware import is_private
from edge_agent.placing.daykeys import pseudonym
from edge_agent.placing.placer import Miss, Spot
from shared.errors import BadInput

MAX_BYTES: Final = 16 * 1024 * 1024

Hardware = Annotated[str, Meta(pattern=r"^[0-9a-f]{12}\Z")]


class TableLesson(msgspec.Struct, array_like=True, frozen=True):
    """One lesson (seconds UTC, `start <= t < end`) and the pseudonyms of the devices that belong to it.

    `code` is empty for a lesson of which nothing is taken in: a test is written.
    """

    code: str
    start: int
    end: int
    devices: tuple[int, ...]


class DayTable(msgspec.Struct, array_like=True, frozen=True, dict=True):
    """One local day, from `start` to `end` (seconds UTC). Lessons are in order of their start.

    `devices`: hardware address -> pseudonym, and whether the device has any class. `left_out`: hardware
    address -> why nothing of it is collected (`staff`, `opted_out`).
    """

    day: str
    start: int
    end: int
    devices: dict[Hardware, tuple[int, bool]]
    left_out: dict[Hardware, str]
    lessons: tuple[TableLesson, ...]

    @cached_property
    def _timetable(self) -> dict[int, tuple[list[int], list[TableLesson]]]:
        found: dict[int, tuple[list[int], list[TableLesson]]] = {}
        for lesson in self.lessons:
            for device in lesson.devices:
                starts, lessons = found.setdefault(device, ([], []))
                starts.append(lesson.start)
                lessons.append(lesson)
        return found

    def place(self, hardware: str, moment: int) -> Spot | Miss:
        """The lesson of the hardware at a moment of this day, or why there is none."""
        known = self.devices.get(hardware)
        if known is None:
            unknown = "private_address" if is_private(hardware) else "unknown_device"
            return Miss("unmatched", self.left_out.get(hardware, unknown))
        device, has_class = known
        starts, lessons = self._timetable.get(device, ((), ()))
        at = bisect_right(starts, moment)
        # Where two lessons of one device overlap, the later one has it from its start on.
        if at and moment < lessons[at - 1].end:
            if not lessons[at - 1].code:
                return Miss("outside", "testing")
            return Spot(self.day, lessons[at - 1].code, lessons[at - 1].start, device)
        return Miss("outside", "outside_lessons") if has_class else Miss("unmatched", "no_class")

    def change(self, hardware: str, moment: int) -> int:
        """Before when (seconds UTC) `place` says of the hardware what it does at a moment of this day."""
        device, _ = self.devices.get(hardware, (-1, False))
        starts, lessons = self._timetable.get(device, ((), ()))
        at = bisect_right(starts, moment)
        changes: list[int] = [self.end, *starts[at : at + 1]]
        if at and moment < lessons[at - 1].end:
            changes.append(lessons[at - 1].end)
        return min(changes)


def make(directory: Directory, codes: Mapping[str, str], key: bytes, day: date, zone: ZoneInfo) -> DayTable:
    """The table of one day, with pseudonyms under that day's key."""
    devices: dict[str, tuple[int, bool]] = {}
    left_out: dict[str, str] = {}
    for device in directory.inventory.devices:
        admitted = directory.admit(device)
        if isinstance(admitted, str):
            left_out[device.hardware] = admitted
        else:
            devices[device.hardware] = pseudonym(key, device.id), directory.has_class(device)
    planned = (*directory.timetable.lessons(day), *directory.timetable.testing(day))
    lessons = tuple(
        TableLesson(
            codes[lesson.school_class.id] if lesson.collected else "",
            lesson.start,
            lesson.end,
            tuple(dict.fromkeys(pseudonym(key, device.id) for device in directory.members(lesson))),
        )
        for lesson in sorted(planned, key=lambda lesson: lesson.start)
    )
    following = date.fromordinal(day.toordinal() + 1)
    start, end = day_start(day, zone), day_start(following, zone)
    return DayTable(day.isoformat(), start, end, devices, left_out, lessons)


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(DayTable)


def encode(table: DayTable) -> bytes:
    """The table as bytes for the link."""
    return _encoder.encode(table)


def decode(data: bytes) -> DayTable:
    """Bytes of the link as a table; raises BadInput."""
    if len(data) > MAX_BYTES:
        raise BadInput("table_too_large", f"{len(data)} bytes")
    try:
        table = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("table_malformed", type(error).__name__) from None
    pseudonyms = [device for device, _ in table.devices.values()]
    pseudonyms += [device for lesson in table.lessons for device in lesson.devices]
    if min(pseudonyms, default=0) < 0:  # msgpack holds none above 64 bits
        raise BadInput("table_malformed", "a pseudonym below 0")
    return table
