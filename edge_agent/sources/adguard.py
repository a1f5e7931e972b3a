"""AdGuard Home: the lines of querylog.json tell who asked for which name, and whether it was blocked."""

import re
from typing import Final

import msgspec

from edge_agent.sources.facts import Contact, Reading
from edge_agent.sources.loglines import ADDRESS, FRACTION_AND_ZONE, ISO, NAME, USE_TYPES, Stamps
from edge_agent.sources.logtime import LogTime
from shared.exports import MAX_LINE

SAFE_SEARCH: Final = 7  # filtered, and answered all the same: with the address of the safer search

_TIME: Final = re.compile(rf"({ISO}){FRACTION_AND_ZONE}", re.ASCII)
_ASKER: Final = re.compile(ADDRESS, re.ASCII)
_NAME: Final = re.compile(NAME, re.ASCII)
# Half of an IPv4 address, ten bytes of an IPv6 address are written as zeros; no device has such an address.
_ANONYMISED: Final = re.compile(r"\d+\.\d+\.0\.0|(?:[0-9A-Fa-f]{0,4}:){0,3}:", re.ASCII)


class _Result(msgspec.Struct, gc=False):
    blocked: bool = msgspec.field(name="IsFiltered", default=False)
    reason: int = msgspec.field(name="Reason", default=0)


class _Entry(msgspec.Struct, gc=False):
    """What is read of a line; answers, rules, upstreams and the client's own id are not."""

    time: str = msgspec.field(name="T")
    name: str = msgspec.field(name="QH")
    kind: str = msgspec.field(name="QT")
    address: str = msgspec.field(name="IP")
    net: str = msgspec.field(name="QC", default="IN")
    result: _Result = msgspec.field(name="Result", default_factory=_Result)


def read_adguard(chunk: bytes, times: LogTime) -> Reading:
    """Facts of whole lines of a log, in its order; what was blocked was not reached, and is passed over."""
    reading = Reading()
    stamps, before, t = Stamps(times), "", None
    decode, time_of = msgspec.json.Decoder(_Entry).decode, _TIME.fullmatch
    for line in chunk.split(b"\n"):
        if not line:
            continue
        reading.lines += 1
        if len(line) > MAX_LINE:
            reading.refuse("line_too_long", line)
            continue
        try:
            entry = decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            reading.refuse("malformed_line", line)
            continue
        if found := time_of(entry.time):
            stamp = found[1] + found[2]
            if stamp != before:
                before, t = stamp, stamps(stamp)
        if found is None or t is None:
            reading.refuse("unreadable_time", line)
        else:
            _take(reading, entry, t, line)
    reading.newest = stamps.newest
    return reading


def _take(reading: Reading, entry: _Entry, t: int, line: bytes) -> None:
    result = entry.result
    if entry.kind not in USE_TYPES or entry.net != "IN":
        reading.pass_over("query_type")
    elif result.blocked and result.reason != SAFE_SEARCH:
        reading.pass_over("blocked")
    elif not _ASKER.fullmatch(entry.address):
        reading.refuse("malformed_line", line)
    elif _NAME.fullmatch(entry.name):
        if _ANONYMISED.fullmatch(entry.address):
            reading.pass_over("anonymised")
        else:
            reading.facts.append(Contact(t, entry.address, entry.name))
    elif entry.name in {"", "."}:
        reading.pass_over("no_name")
    else:
        reading.refuse("forged_name", line)
