"""BIND: the lines of its `queries` category tell who asked for which name."""

import re
from typing import Final

from edge_agent.sources.facts import Contact, Reading
from edge_agent.sources.loglines import (
    ADDRESS,
    FRACTION_AND_ZONE,
    ISO,
    MAX_LINE,
    NAME,
    STAMP,
    USE_TYPE,
    USE_TYPES,
    Stamps,
    dated,
    refuse_line,
    whole_lines,
)
from edge_agent.sources.logtime import LogTime

# `22-Nov-2026 10:00:00.123 queries: info: client @0x7f1b 10.20.3.41#5353 (padlet.com): view pupils: query:
# padlet.com IN A + (10.0.0.53)`: time, category and severity are each written or not; a syslog puts its own
# time, host and `named[123]: ` before them. Older versions lack `@0x...` or the name in brackets. Other
# programs on the same syslog repeat what strangers say: none of them may speak as BIND.
_HEAD: Final = (
    rf"(?:({STAMP}){FRACTION_AND_ZONE} (?:[^ \[\]]{{0,254}}[^ \[\]:] )?named(?:\[\d{{1,10}}\])?: )?"
    rf"(?:(\d\d-[A-Z][a-z]{{2}}-\d{{4}} \d\d:\d\d:\d\d|{ISO}){FRACTION_AND_ZONE} )?"
)
_WORDS: Final = r"(?:[a-z-]{1,32}: )?(?:(?:info|notice|warning|error|critical|debug \d{1,3}): )?"
_CLIENT: Final = (
    rf"client (?:@0x[0-9a-f]{{1,16}} )?({ADDRESS})(?:%[^ #]{{1,32}})?#\d{{1,5}}(?:/key [^ ]{{1,1100}})?"
    r"(?: \([^ ]{1,1100}\))?: (?:view [^:]{1,255}: )?"
)
_QUERY: Final = re.compile(
    rf"{_HEAD}{_WORDS}{_CLIENT}query: ({NAME}) IN (?:{USE_TYPE}) [-+].{{0,400}}$", re.ASCII
)
_ASKED: Final = re.compile(
    rf"{_HEAD}{_WORDS}{_CLIENT}(query|response): ([^ ]{{1,1100}}) ([A-Z0-9]+) ([A-Z0-9-]+) ", re.ASCII
)
_OWN: Final = re.compile(
    rf"(?:\d\d-[A-Z][a-z]{{2}}-\d{{4}} \d\d:\d\d:\d\d|(?:{STAMP}){FRACTION_AND_ZONE} "
    r"(?:(?:[^ \[\]]{0,254}[^ \[\]:] )?named(?:\[\d{1,10}\])?: |client |"
    r"(?:[a-z-]{1,32}: )?(?:info|notice|warning|error|critical|debug \d{1,3}): ))"
    rf"|{_WORDS}client (?:@0x[0-9a-f]{{1,16}} )?(?:{ADDRESS})#\d",
    re.ASCII,
)


def read_bind(chunk: bytes, times: LogTime) -> Reading:
    """Facts of whole lines of a log, in its order; BIND's own words are passed over."""
    reading = Reading()
    stamps, before, t = Stamps(times, dated), "", None
    match, add = _QUERY.match, reading.facts.append
    for line in whole_lines(chunk, reading):
        if not line:
            continue
        found = match(line)
        if found is None or len(line) > MAX_LINE:
            _leave_out(reading, line, stamps)
            continue
        stamp, zone, own, own_zone, address, name = found.groups()
        stamp = own + own_zone if own else (stamp or "") + (zone or "")
        if stamp != before:
            before, t = stamp, stamps(stamp)
        if t is None:
            reading.refuse("unreadable_time", line)
        else:
            add(Contact(t, address, name))
    reading.newest = stamps.newest
    return reading


def _leave_out(reading: Reading, line: str, stamps: Stamps) -> None:
    asked = _ASKED.match(line) if len(line) <= MAX_LINE else None
    if asked is None:
        if len(line) <= MAX_LINE and _OWN.match(line):
            reading.pass_over("other")
        else:
            refuse_line(reading, line)
        return
    stamp, zone, own, own_zone, _, what, name, net, kind = asked.groups()
    if stamps(own + own_zone if own else (stamp or "") + (zone or "")) is None:
        reading.refuse("unreadable_time", line)
    elif what == "response":
        reading.pass_over("reply")
    elif net != "IN" or kind not in USE_TYPES:
        reading.pass_over("query_type")
    elif name == ".":
        reading.pass_over("no_name")
    else:
        # No host has such a name; BIND writes `\032` and its like for what could be taken for its end.
        reading.refuse("forged_name", line)
