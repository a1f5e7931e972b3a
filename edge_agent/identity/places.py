"""In which room a travelling iPad is: by its access point, as RADIUS or the Wi-Fi controller tells it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Final

from edge_agent.identity.entries import cells, moment_of
from edge_agent.identity.hardware import hardware_address
from edge_agent.identity.leases import Leases
from edge_agent.identity.tables import Refused, rows
from edge_agent.sources.facts import Located, Whereabouts

# What the exports of Wi-Fi controllers call the three columns that matter, in small letters.
_TIME: Final = ("time", "timestamp", "date", "associated at", "association time", "event time", "last seen")
_HARDWARE: Final = (
    "hardware", "mac", "mac address", "client mac", "client mac address", "station", "calling-station-id",
)  # fmt: skip
_ACCESS_POINT: Final = ("access_point", "access point", "ap", "ap name", "ap mac", "called-station-id")
_SEPARATORS: Final = ",;\t"


class Places:
    """Hardware address to room over time."""

    def __init__(self, rooms: Mapping[str, str]) -> None:
        self._rooms = rooms
        self._at = Leases()  # who was where is kept as who had what: each has one at a time

    def __bool__(self) -> bool:
        return bool(self._rooms)

    def learn(self, fact: Whereabouts) -> None:
        """Take where a device is; leases are no matter."""
        if isinstance(fact, Located):
            self._at.add(fact.t, fact.hardware, fact.access_point)

    def room(self, hardware: str, moment: int) -> str | None:
        """The room of a device at a moment; None where its access point is unknown, or not on the list."""
        found = self._at.at(hardware, moment)
        return None if found is None else self._rooms.get(access_point_name(found))

    def told(self, hardware: str, since: int, until: int) -> bool:
        """Whether anything was said of where the device is, in `since <= t < until`."""
        return self._at.told(hardware, since, until)

    def stay(self, hardware: str, moment: int, end: int) -> tuple[str | None, int]:
        """What `room` says, and before when (seconds UTC, at most `end`) it says so, unless more is told."""
        found, until = self._at.stay(hardware, moment, end)
        return (None if found is None else self._rooms.get(access_point_name(found))), until

    def forget_before(self, moment: int) -> None:
        """Drop what no signal can ask for any more."""
        self._at.forget_before(moment)


def load_access_points(path: Path, refused: Refused) -> dict[str, str]:
    """Rooms by access point, from `access_point,room`; the same access point twice is refused."""
    rooms: dict[str, str] = {}
    for line, row in rows(path, ("access_point", "room"), refused):
        name = access_point_name(row["access_point"])
        if not name or not row["room"] or name in rooms:
            reason = "access point twice" if name in rooms else "no access point or no room"
            refused.add(path, line, reason, ",".join(row.values()))
            continue
        rooms[name] = row["room"]
    return rooms


def access_point_name(text: str) -> str:
    """One spelling of an access point's name or address; `AA-BB-CC-DD-EE-FF:School` is its address alone."""
    address = text.rpartition(":")[0] if text.count("-") == 5 else text
    return hardware_address(address) or text.strip().lower()


def read_associations(lines: Iterable[str], zone: tzinfo) -> Iterator[Located]:
    """A controller's export of associations: a CSV with a time, a client's and an access point's column."""
    columns: tuple[int, int, int] | None = None
    separator = ""
    for line in lines:
        if columns is None:
            found = ((one, _columns(cells(line.lower(), one))) for one in _SEPARATORS)
            separator, columns = next((each for each in found if each[1]), ("", None))
            continue
        row = cells(line, separator)
        try:
            time, hardware, point = (row[index].strip() for index in columns)
        except IndexError:
            continue
        t, plain = moment_of(time, zone), hardware_address(hardware)
        if t is not None and plain:
            yield Located(t, plain, point)


def _columns(head: list[str]) -> tuple[int, int, int] | None:
    plain = [cell.strip() for cell in head]
    found = [
        next((plain.index(name) for name in names if name in plain), None)
        for names in (_TIME, _HARDWARE, _ACCESS_POINT)
    ]
    time, hardware, point = found
    return None if time is None or hardware is None or point is None else (time, hardware, point)
