"""Syslog (RFC 3164, RFC 5424, RFC 6587) to the lines of a log file: `TIME host program[pid]: message`."""

import re
from datetime import UTC, datetime
from typing import Final

from edge_agent.sources.framing import Fed

LONGEST: Final = 16 * 1024  # longer than any parser takes: what is cut here is refused there
_PRIORITY: Final = re.compile(rb"<\d{1,3}>")
_OLD_TIME: Final = re.compile(rb"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?![^ ])")
_TIME: Final = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)?(?![^ ])")
_NEW: Final = re.compile(
    rb"1 ([!-~]{1,64}) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) [!-~]{1,32} "
    rb'(?:-|(?:\[[^ =\]"]{1,32}(?: [^ =\]"]{1,32}="(?:[^"\\]|\\.)*+")*+ ?\])++)'
    rb"(?: ++(?:\xef\xbb\xbf)? *+(.*))?\Z"
)
_COUNT: Final = re.compile(rb"([1-9]\d{0,6}) <")
_COUNT_BEGUN: Final = re.compile(rb"[1-9]\d{0,6} ?\Z")
_ONE_LINE: Final = bytes.maketrans(b"\n\r\0", b"   ")


def lines(datagram: bytes, now: float) -> list[bytes]:
    """The log line that a datagram is, without its newline; none if it is blank.

    `now` (seconds UTC) is when it came: the time of a message that tells none.
    """
    message = datagram.strip(b"\r\n\0 ")
    return [_line(message.translate(_ONE_LINE), now)] if message else []


def _line(message: bytes, now: float) -> bytes:
    if len(message) >= LONGEST:
        return message[:LONGEST]
    priority = _PRIORITY.match(message)
    if priority is None:
        return message
    rest = message[priority.end() :]
    new = _NEW.match(rest)
    if new is None:
        return rest if _OLD_TIME.match(rest) else _with_time(rest, now)
    time, host, program, process, text = new.groups()
    number = b"[" + process + b"]" if process.isdigit() else b""
    stamp = _stamp(now) if time == b"-" else _TIME.sub(rb"\1\2", time, count=1)
    return stamp + b" " + host + b" " + program + number + b": " + (text or b"")


def _with_time(rest: bytes, now: float) -> bytes:
    """An older message with a newer time, or with none: then it happened when it came."""
    time = _TIME.match(rest)
    if time is None:
        return _stamp(now) + b" " + rest
    return time[1] + (time[2] or b"") + rest[time.end() :]


def _stamp(now: float) -> bytes:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode("ascii")


class SyslogStream:
    """Messages of one connection or pipe: with their length before them, or each on a line of its own.

    Plain log lines, as a pipe brings them, are lines without a priority and stay as they are.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0  # so much of it holds no newline
        self._skip = 0  # bytes still to come of a message that was too long
        self._skip_line = False

    @property
    def unfinished(self) -> bool:
        """See Framing."""
        return bool(self._held or self._skip or self._skip_line)

    def feed(self, data: bytes, now: float) -> Fed:
        """See Framing: every message that is whole now, as a line; a too long one is cut to LONGEST bytes."""
        fed = Fed()
        held = self._held
        held += data
        at = min(self._skip, len(held))
        self._skip -= at
        while at < len(held):
            found = self._next(at)
            if found is None:
                break
            message, at = found
            fed.records += [line + b"\n" for line in lines(message, now)]
        del held[:at]
        self._searched = len(held)
        return fed

    def _next(self, at: int) -> tuple[bytes, int] | None:
        """The message that begins at `at`, and where the next one does; None until it is whole."""
        counted = _COUNT.match(self._held, at)
        if counted is not None and not self._skip_line:
            return self._counted(counted.end() - 1, int(counted[1]))
        if _COUNT_BEGUN.match(self._held, at) and not self._skip_line:
            return None
        end = self._held.find(b"\n", max(at, self._searched))
        if self._skip_line:
            self._skip_line = end < 0
            return b"", len(self._held) if end < 0 else end + 1
        if end < 0 and len(self._held) - at < LONGEST:
            return None
        self._skip_line = end < 0
        return bytes(self._held[at : at + LONGEST if end < 0 else end]), end + 1 or len(self._held)

    def _counted(self, start: int, length: int) -> tuple[bytes, int] | None:
        there = len(self._held) - start
        if there < min(length, LONGEST):
            return None
        self._skip = max(0, length - there)
        return bytes(self._held[start : start + min(length, LONGEST)]), start + min(length, there)
