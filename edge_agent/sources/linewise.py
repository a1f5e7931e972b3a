"""One line, one fact: the loop around parsers that say of a line what it tells, or why nothing."""

from collections.abc import Callable

from edge_agent.sources.facts import Reading, Use
from edge_agent.sources.logtime import END_OF_TIME, LogTime
from shared.errors import BadInput

Told = Use | str | None


def read_lines(chunk: bytes, times: LogTime, read: Callable[[bytes, LogTime], Told]) -> Reading:
    """Facts of whole lines, in their order; `newest` is never a day ahead of now.

    `read` gives a line's fact, the reason why it is passed over, or None for a line of the file's header,
    which is not counted; it raises BadInput for what is broken. Empty lines are no lines.
    """
    reading = Reading()
    newest, latest = -1, int(min(times.latest, END_OF_TIME))
    for line in chunk.split(b"\n"):
        if not line or line == b"\r":
            continue
        reading.lines += 1
        try:
            told = read(line, times)
        except BadInput as fault:
            reading.refuse(fault.reason, line)
            continue
        if told is None:
            reading.lines -= 1
        elif isinstance(told, str):
            reading.pass_over(told)
        else:
            reading.facts.append(told)
            if newest < told.t <= latest:
                newest = told.t
    reading.newest = newest if newest >= 0 else None
    return reading
