"""Squid: access.log tells whose request went to which host; of a URL nothing but the host is kept."""

import re
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from edge_agent.sources.facts import Contact, Reading, Visit
from edge_agent.sources.loglines import (
    ADDRESS,
    MAX_LINE,
    NAME,
    STAMP,
    Stamps,
    dated,
    refuse_line,
    whole_lines,
)
from edge_agent.sources.logtime import LogTime

# `1795327844.187   2500 10.20.3.41 TCP_TUNNEL/200 98 CONNECT padlet.com:443 - HIER_DIRECT/192.0.2.7 -`; by
# way of a syslog with its time, host and `squid[123]: ` or `(squid-1)[123]: ` before. Address and action
# stand before all that a client can write.
_WHERE: Final = (
    r"(?:CONNECT |[A-Z][A-Z_-]{0,31} [a-z][a-z0-9+.-]{0,15}://)(?:[^/?# ]*@)?"
    rf"(?![0-9.]+[:/?# ])({NAME})(?=:\d{{1,5}}[/?# ]|[/?# ])"
)
_NATIVE_HEAD: Final = (
    rf"(?:(?:{STAMP})[^ ]{{0,16}} (?:[^ \[\]]{{1,255}} )?\(?[^ \[\]:]{{1,64}}(?:\[\d{{1,10}}\])?: )?"
    rf"(\d{{1,10}})\.(\d{{3}}) +(-?\d{{1,12}}) ({ADDRESS}|-) ([A-Z_]{{1,64}})/\d{{3}} \d{{1,19}} "
)
_NATIVE: Final = re.compile(_NATIVE_HEAD + _WHERE, re.ASCII)
_NATIVE_OTHER: Final = re.compile(_NATIVE_HEAD + r"[^ ]{1,32} [^ ]+ ", re.ASCII)
_NATIVE_USER: Final = re.compile(r"(?:[^ ]+ +){6}[^ ]+ ([^ ]{1,256}) [^ ]+/[^ ]+ [^ ]+\r?")

# `10.20.3.41 - - [22/Nov/2026:06:10:44 +0000] "CONNECT padlet.com:443 HTTP/1.1" 200 98
# TCP_TUNNEL:HIER_DIRECT`; the format `combined` has referrer and user agent, which a client writes, before
# the action.
_COMMON_HEAD: Final = (
    rf"({ADDRESS}|-) [^ \[\]]{{1,256}} ([^ \[\]]{{1,256}}) "
    r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] \""
)
_COMMON: Final = re.compile(_COMMON_HEAD + _WHERE, re.ASCII)
_COMMON_OTHER: Final = re.compile(_COMMON_HEAD + r"[^ ]{1,32} ", re.ASCII)
_COMMON_END: Final = re.compile(r".* ([A-Z_]{1,64}):[A-Z_]{1,64}\r?", re.ASCII)
_DENIED: Final = frozenset({"TCP_DENIED", "TCP_DENIED_REPLY"})
_BETWEEN_PROXIES: Final = "UDP_"


class _Request(NamedTuple):
    """One line: `begin` in seconds UTC (None: unreadable), `name` empty if no host is named."""

    begin: int | None
    address: str
    user: str
    action: str
    name: str


def read_squid(chunk: bytes, times: LogTime) -> Reading:
    """Facts of whole lines of a log, in its order, which is that of the ends of the requests.

    The native format tells how long a request took: it counts where it began, which for a tunnel may be long
    before. The formats `common` and `combined` do not: there it counts where it ended.
    """
    reading = Reading()
    stamps, before, end = Stamps(times, dated), "", None
    match, add = _NATIVE.match, reading.facts.append
    for line in whole_lines(chunk, reading):
        if not line:
            continue
        if len(line) > MAX_LINE:
            refuse_line(reading, line)
            continue
        if found := match(line):
            second, part, took, address, action, name = found.groups()
            if second != before:
                before, end = second, stamps(second)
            if end is not None and address != "-" and action not in _DENIED and action[0] == "T":
                begin = (end * 1000 + int(part) - max(int(took), 0)) // 1000
                if begin >= 0:
                    add(Contact(begin, address, name))
                    continue
        request = _native(line, stamps) or _common(line, stamps)
        if request is None:
            refuse_line(reading, line)
        else:
            _take(reading, request, line)
    reading.newest = stamps.newest
    return reading


def _native(line: str, stamps: Stamps) -> _Request | None:
    head = _NATIVE_OTHER.match(line)
    if head is None:
        return None
    second, part, took, address, action = head.groups()
    found = _NATIVE.match(line)
    end = stamps(second)
    begin = None if end is None else (end * 1000 + int(part) - max(int(took), 0)) // 1000
    user = _NATIVE_USER.fullmatch(line[head.start(1) :]) if address == "-" else None
    return _Request(
        begin if begin is not None and begin >= 0 else None,
        address,
        user[1] if user else "-",
        action,
        found[6] if found else "",
    )


def _common(line: str, stamps: Stamps) -> _Request | None:
    head, end = _COMMON_OTHER.match(line), _COMMON_END.fullmatch(line)
    if head is None or end is None:
        return None
    address, user, time = head.groups()
    found = _COMMON.match(line)
    return _Request(stamps(time), address, user, end[1], found[4] if found else "")


def _take(reading: Reading, request: _Request, line: str) -> None:
    if request.begin is None:
        reading.refuse("unreadable_time", line)
    elif request.action in _DENIED:
        reading.pass_over("denied")
    elif request.action.startswith(_BETWEEN_PROXIES):
        reading.pass_over("other")
    elif not request.name:
        reading.pass_over("no_name")
    elif request.address != "-":
        reading.facts.append(Contact(request.begin, request.address, request.name))
    elif request.user == "-":
        reading.pass_over("anonymised")
    else:
        user = unquote_to_bytes(request.user).decode("utf-8", "replace")
        if user.isprintable() and "\N{REPLACEMENT CHARACTER}" not in user:
            reading.facts.append(Visit(request.begin, user, request.name))
        else:
            reading.refuse("malformed_line", line)
