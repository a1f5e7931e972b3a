"""xAPI statements from files, as record stores export them: one a line, or arrays of them in lines."""

from collections.abc import Iterator
from itertools import islice
from typing import Final, cast

from edge_agent.sources.facts import Did, Reading
from edge_agent.sources.logtime import LogTime
from edge_agent.sources.xapi import OUT_OF_RANGE, StatementReader, refuse, statement_hash
from edge_agent.sources.xapi_json import decode
from edge_agent.sources.xapi_statement import VOIDED, Statement, check
from models.catalogue.load import load_catalogue
from models.catalogue.match import NameMatcher
from shared.errors import BadInput

MAX_LINE: Final = 32 * 1024
REMEMBERED: Final = 1_000_000  # ids, 100 bytes each at most
NO_TIME: Final = "no_timestamp"
KNOWN: Final = "statement_known"
TOO_LATE: Final = "voided_too_late"


class StatementLines:
    """Reads one file; remembers ids, so that what stands in it twice counts once.

    A statement that another voids does not count if the other stands before it or close behind.
    """

    def __init__(self, reader: StatementReader | None = None) -> None:
        if reader is None:
            catalogue = load_catalogue()
            reader = StatementReader(catalogue, NameMatcher(catalogue))
        self._reader = reader
        self._seen: dict[int, None] = {}

    def __call__(self, chunk: bytes, times: LogTime, /) -> Reading:
        """See kinds.Read; every statement counts as a line."""
        reading = Reading()
        found: dict[int, Statement | None] = {}
        for line in chunk.split(b"\n"):
            for one in self._statements(line, reading):
                reading.lines += 1
                statement = self._checked(one, reading)
                if statement is not None:
                    hashed = statement_hash(statement.id) if statement.id else -1 - len(found)
                    self._take(hashed, statement, found, reading)
        for statement in found.values():
            self._tell(statement, reading, times)
        for key in list(islice(self._seen, max(0, len(self._seen) - REMEMBERED))):
            del self._seen[key]
        return reading

    def _statements(self, line: bytes, reading: Reading) -> Iterator[object]:
        # An array may begin and end in lines of its own, and a comma stand behind each statement.
        text = line.strip(b" \t\r")
        if len(text) > MAX_LINE:
            reading.lines += 1
            reading.refuse("line_too_long", b"")
            return
        if text.startswith(b"[") and not text.endswith(b"]"):
            text = text[1:]
        elif text.endswith(b"]") and not text.startswith(b"["):
            text = text[:-1]
        text = text.strip(b", \t")
        if not text or text in (b"[", b"]"):
            return
        try:
            value = decode(text)
        except BadInput as error:
            reading.lines += 1
            refuse(reading, error)
            return
        if isinstance(value, dict) and isinstance(value.get("statements"), list):
            value = value["statements"]
        yield from cast("list[object]", value) if isinstance(value, list) else [value]

    def _checked(self, one: object, reading: Reading) -> Statement | None:
        try:
            if isinstance(one, dict):
                if "timestamp" not in one and "stored" in one:
                    one["timestamp"] = one["stored"]
                version = one.get("version")
                return check(one, second=isinstance(version, str) and version.startswith("2"))
            return check(one)
        except BadInput as error:
            refuse(reading, error)
            return None

    def _take(
        self, hashed: int, statement: Statement, found: dict[int, Statement | None], reading: Reading
    ) -> None:
        if hashed in self._seen:
            reading.pass_over(KNOWN)
            return
        if hashed >= 0:
            self._seen[hashed] = None
        found[hashed] = statement
        if statement.verb != VOIDED:
            return
        target = statement_hash(statement.target)
        if found.get(target) is not None:
            found[target] = None
        elif target in self._seen:
            reading.lines += 1  # beside the voiding statement, which has a reason of its own
            reading.pass_over(TOO_LATE)
        self._seen[target] = None

    def _tell(self, statement: Statement | None, reading: Reading, times: LogTime) -> None:
        if statement is None:
            reading.pass_over("voided")
            return
        if statement.t is None:
            reading.pass_over(NO_TIME)
            return
        told = self._reader.fact(statement, 0.0)
        if isinstance(told, Did):
            reading.facts.append(told)
            if told.t <= times.latest and (reading.newest is None or told.t > reading.newest):
                reading.newest = told.t
        elif told == OUT_OF_RANGE:
            refuse(reading, BadInput(OUT_OF_RANGE, "timestamp"))
        else:
            reading.pass_over(told)
