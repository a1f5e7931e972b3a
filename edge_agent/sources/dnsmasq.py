"""dnsmasq and Pi-hole: query lines tell apps contacted, DHCP lines tell who had which address."""

import re
from typing import Final

from edge_agent.sources.facts import Contact, Lease, Reading
from edge_agent.sources.logtime import END_OF_TIME, LogTime

MAX_LINE: Final = 4096

# `Sep 14 08:31:02 [host ]dnsmasq[123]: ...`; Pi-hole and `log-queries=extra` put a serial number and
# `address/port` before the words; rsyslog may write RFC 3339 times.
_TIME: Final = rb"([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^ ]{0,16})"
_LINE: Final = re.compile(
    _TIME
    + rb"(?: [^ \[\]]*[^ \[\]:])? (?:dnsmasq|pihole-FTL)(-dhcp|-tftp|-script)?(?:\[\d+\])?: "
    + rb"(?:\d+ (?:[0-9A-Fa-f.:]+/\d+ )?)?"
    + rb"(?:query\[(A|AAAA|HTTPS|SVCB|type=65)\] (.*) from ([0-9A-Fa-f.:]+)\r?$"
    + rb"|DHCPACK\([^)]*\) (\S+) (\S+)|.)"
)
HARDWARE: Final = re.compile(rb"^(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$")


def read_dnsmasq(chunk: bytes, times: LogTime) -> Reading:
    """Facts of whole lines of a log, in the order of the log; `newest` is never a day ahead of now."""
    reading = Reading()
    newest, latest = -1, int(min(times.latest, END_OF_TIME))
    for line in chunk.split(b"\n"):
        if not line:
            continue
        reading.lines += 1
        t = read_line(reading, line, times)
        if t is not None and newest < t <= latest:
            newest = t
    reading.newest = newest if newest >= 0 else None
    return reading


def read_line(reading: Reading, line: bytes, times: LogTime) -> int | None:
    """Take one line into `reading`; its time (seconds UTC) if it has one."""
    match = _LINE.match(line) if len(line) <= MAX_LINE else None
    if match is None:
        reading.refuse("line_too_long" if len(line) > MAX_LINE else "malformed_line", line)
        return None
    time, role, query, name, asker, address, hardware = match.groups()
    t = times.seconds(time)
    if t is None:
        reading.refuse("unreadable_time", line)
        return None
    if query is not None and role is None:
        if b" " in name:
            # Somebody asked for a name that looks like the end of a log line, to speak for another address.
            reading.refuse("forged_name", line)
            return t
        reading.facts.append(Contact(t, asker.decode("ascii"), name.decode("latin-1")))
    elif address is not None and role == b"-dhcp":
        if HARDWARE.match(hardware):
            plain = hardware.replace(b":", b"").lower().decode("ascii")
            reading.facts.append(Lease(t, address.decode("latin-1"), plain))
        else:
            reading.refuse("lease_without_hardware_address", line)
    return t
