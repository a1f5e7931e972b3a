"""Cisco Umbrella: the DNS log as CSV, with or without a header line, of any version since the first."""

from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from edge_agent.sources.facts import Contact, Reading, Visit
from edge_agent.sources.linewise import read_lines
from edge_agent.sources.logtime import LogTime
from edge_agent.sources.scrub_names import scrub_name
from shared.errors import BadInput
from shared.exports import MAX_USER, host_of, is_address, split, text_of
from shared.mapping import plain

# Every version appended columns to these ten; the type of identity came with the second version.
COLUMNS: Final = (
    "timestamp",
    "most granular identity",
    "identities",
    "internal ip",
    "external ip",
    "action",
    "query type",
    "response code",
    "domain",
    "categories",
    "most granular identity type",
)
_NEEDED: Final = 10
_TIME, _IDENTITY, _INTERNAL, _ACTION, _QUERY, _DOMAIN = 0, 1, 3, 5, 6, 8
_IDENTITY_TYPE: Final = 10
_USE: Final = frozenset(("A", "AAAA", "HTTPS", "SVCB"))
_USE_NUMBERS: Final = frozenset(("1", "28", "64", "65"))


class UmbrellaReader:
    """Reads one log: remembers what its header line says, if it has one; header lines are not counted."""

    def __init__(self) -> None:
        self._order: tuple[int, ...] = tuple(range(len(COLUMNS)))
        self._width = 0  # of a header; none: at least the first version's columns
        self._utc = LogTime(ZoneInfo("UTC"))

    def __call__(self, chunk: bytes, times: LogTime, /) -> Reading:
        """See Read."""
        return read_lines(chunk, times, self._read)

    def _read(self, line: bytes, _: LogTime) -> Contact | Visit | str | None:
        cells = split(text_of(line))
        if cells and cells[0][:1] in "tT" and plain(cells[0]) == COLUMNS[0]:
            self._learn(cells)
            return None
        if len(cells) < _NEEDED or (self._width and len(cells) != self._width):
            raise BadInput("wrong_columns")
        return self._fact(cells)

    def _learn(self, header: list[str]) -> None:
        names = [plain(cell) for cell in header]
        if not set(COLUMNS[:_NEEDED]) <= set(names):
            raise BadInput("wrong_columns")
        absent = len(names)
        self._order = tuple(names.index(name) if name in names else absent for name in COLUMNS)
        self._width = len(names)

    def _cell(self, cells: list[str], column: int) -> str:
        at = self._order[column]
        return cells[at].strip() if at < len(cells) else ""

    def _fact(self, cells: list[str]) -> Contact | Visit | str:
        t = self._utc.seconds(self._cell(cells, _TIME).replace(" ", "T", 1).encode())
        if t is None:
            raise BadInput("unreadable_time")
        if self._cell(cells, _ACTION).lower() != "allowed":
            return "blocked"
        if not _is_use(self._cell(cells, _QUERY)):
            return "query_type"
        name = _name(self._cell(cells, _DOMAIN))
        if not name:
            return "no_name"
        address = self._cell(cells, _INTERNAL)
        if address:
            if not is_address(address):
                raise BadInput("bad_address")
            return Contact(t, address, name)
        user = self._user(cells)
        return Visit(t, user, name) if user else "no_internal_address"

    def _user(self, cells: list[str]) -> str:
        """Only where no address says who it was, and only an identity that is said to be a user's.

        `Jane Doe (jdoe@school.example)` is the account between the brackets.
        """
        if plain(self._cell(cells, _IDENTITY_TYPE)).rstrip("s").rpartition(" ")[2] != "user":
            return ""
        identity = self._cell(cells, _IDENTITY)
        if identity.endswith(")") and "(" in identity:
            identity = identity[:-1].rpartition("(")[2].strip()
        return identity if len(identity) <= MAX_USER else ""


@lru_cache(maxsize=16_384)
def _name(domain: str) -> str:
    host = host_of(domain)
    return scrub_name(host) if host else ""


@lru_cache(maxsize=256)
def _is_use(query: str) -> bool:
    """`1 (A)`, or a number or name alone."""
    number, _, name = query.partition(" ")
    return name.strip("() ").upper() in _USE or number in _USE_NUMBERS or number.upper() in _USE
