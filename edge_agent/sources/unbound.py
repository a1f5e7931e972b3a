"""Unbound: the lines of `log-queries` tell who asked for which name."""

import re
from typing import Final

from edge_agent.sources.facts import Contact, Reading
from edge_agent.sources.loglines import (
    ADDRESS,
    FRACTION_AND_ZONE,
    MAX_LINE,
    NAME,
    STAMP,
    USE_TYPE,
    USE_TYPES,
    Stamps,
    refuse_line,
    whole_lines,
)
from edge_agent.sources.logtime import LogTime

# `[1795327841] unbound[7479:0] info: 10.20.3.41 padlet.com. A IN` in its own file (`log-time-ascii` and
# `log-time-iso` write other times, `log-tag-queryreply` writes `query:`); by way of a syslog
# `Nov 22 06:10:20 host unbound[7479]: [7479:0] info: ...`.
# Other programs on the same syslog repeat what strangers say: none of them may speak as Unbound.
_LINE: Final = re.compile(
    rf"\[?(\d{{1,10}}|{STAMP}){FRACTION_AND_ZONE}\]? (?:[^ \[\]]{{0,254}}[^ \[\]:] )?unbound"
    r"(?:(?:\[\d{1,10}\])?: )?\[\d{1,10}:[0-9a-f]{1,10}\] "
    rf"(?:(?:info|query): ({ADDRESS}) ({NAME}) (?:{USE_TYPE}) IN\r?$|([a-z]{{1,16}}): (.*))",
    re.ASCII,
)
_ASKED: Final = re.compile(rf"(?:{ADDRESS}) ([^ ]+) ([A-Z0-9-]+) ([A-Z0-9]+)(?:\r?$|( ))", re.ASCII)


def read_unbound(chunk: bytes, times: LogTime) -> Reading:
    """Facts of whole lines of a log, in its order; answers and Unbound's own words are passed over."""
    reading = Reading()
    stamps, before, t = Stamps(times), "", None
    match, add = _LINE.match, reading.facts.append
    for line in whole_lines(chunk, reading):
        if not line:
            continue
        found = match(line)
        if found is None or len(line) > MAX_LINE:
            refuse_line(reading, line)
            continue
        stamp, zone, address, name, tag, words = found.groups()
        stamp += zone
        if stamp != before:
            before, t = stamp, stamps(stamp)
        if t is None:
            reading.refuse("unreadable_time", line)
        elif address:
            add(Contact(t, address, name))
        else:
            _leave_out(reading, tag, words, line)
    reading.newest = stamps.newest
    return reading


def _leave_out(reading: Reading, tag: str, words: str, line: str) -> None:
    asked = _ASKED.match(words) if tag in {"info", "query", "reply"} else None
    if asked is None:
        reading.pass_over("other")
        return
    name, kind, net, more = asked.groups()
    if tag == "reply" or more:
        reading.pass_over("reply")
    elif net != "IN" or kind not in USE_TYPES:
        reading.pass_over("query_type")
    elif name == ".":
        reading.pass_over("no_name")
    else:
        # No host has such a name; Unbound writes `?` for what could be taken for the end of one.
        reading.refuse("forged_name", line)
