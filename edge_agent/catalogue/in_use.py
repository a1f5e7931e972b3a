"""The catalogue that an agent works with: the shipped one, the district's over it, the school's over both."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from edge_agent.paths import AgentFolder
from edge_agent.store.schema import MIGRATIONS
from models.catalogue.layers import MOST_PLACES, Layers, Place, merged, stack
from models.catalogue.load import Catalogue, load_catalogue
from models.catalogue.overlay import EMPTY, District, Overlay, decode_district, read_overlay
from shared.errors import BadInput, SettingsError
from shared.storage import LARGE_PAGE, connect, migrate, reader, transaction

NOTHING: Final = Layers()
SCHOOL: Final = "school"
DISTRICT: Final = "district"
FOR_DISTRICT: Final = MOST_PLACES // 2


@dataclass(frozen=True, slots=True)
class InUse:
    """What is used; `trouble` says in words what is left out and why, or nothing."""

    catalogue: Catalogue
    layers: Layers = NOTHING
    school: Overlay = EMPTY
    district: District | None = None
    trouble: str = ""


def school_file(folder: AgentFolder) -> Path:
    """The school's own entries."""
    return folder.root / "catalogue.toml"


def district_file(folder: AgentFolder) -> Path:
    """What the district said last, as it came over the link."""
    return folder.root / "district-catalogue.json"


def load_in_use(folder: AgentFolder, *, keep: bool = False) -> InUse:
    """Put the layers together; whatever is wrong with one of them is left out, and stops nothing.

    keep: give new entries their indexes for good. Only the agent does that, in its own folder; anybody else
    gets them as the agent would give them. Raises SettingsError for a store that is spoilt.
    """
    troubles = []
    school, district = EMPTY, None
    try:
        school = read_overlay(school_file(folder))
    except SettingsError as error:
        troubles.append(f"The school's own catalogue is left out: {error}")
    try:
        district = _district(district_file(folder))
    except (BadInput, OSError) as error:
        troubles.append(f"The district's catalogue is left out: {error}; it is asked for again")
    shipped = load_catalogue()
    places = _places(folder)
    layers = Layers(tuple(places))
    if district is not None and not _has_room(district.overlay, places):
        troubles.append(
            "The district's catalogue is left out: it has used up its indexes, the rest are the school's"
        )
        district = None
    overlays = ((DISTRICT, district.overlay if district else EMPTY), (SCHOOL, school))
    try:
        layers = stack(overlays, places)
        catalogue = merged(shipped, layers)
    except SettingsError as error:
        troubles.append(f"Own entries of the catalogue are left out: {error}")
        catalogue = merged(shipped, layers := Layers(tuple(places)))
    if keep and len(layers.places) > len(places):
        _keep(folder, layers.places[len(places) :], len(places))
    return InUse(catalogue, layers, school, district, "; ".join(troubles))


def _has_room(overlay: Overlay, places: Sequence[Place]) -> bool:
    """Whether it needs no new index beyond the district's: a hub must not use up those of the school."""
    try:
        needed = len(stack(((DISTRICT, overlay),), places).places)
    except SettingsError:
        return False
    return needed == len(places) or needed <= FOR_DISTRICT


def _district(path: Path) -> District | None:
    return decode_district(path.read_bytes()) if path.exists() else None


def _places(folder: AgentFolder) -> Sequence[Place]:
    if not folder.database.exists():
        return ()
    connection = reader(folder.database)
    try:
        found = connection.execute("SELECT place FROM catalogue_places ORDER BY number").fetchall()
    except sqlite3.OperationalError:  # written by a program that knew of none
        return ()
    except sqlite3.DatabaseError as error:
        raise SettingsError(f"{folder.database} is spoilt ({error}): restore the newest backup") from None
    finally:
        connection.close()
    return [msgspec.json.decode(text, type=Place) for (text,) in found]


def _keep(folder: AgentFolder, new: Sequence[Place], first: int) -> None:
    connection = connect(folder.database, LARGE_PAGE)
    try:
        migrate(connection, MIGRATIONS)
        with transaction(connection):
            connection.executemany(
                "INSERT INTO catalogue_places VALUES (?, ?)",
                [(number, msgspec.json.encode(place).decode()) for number, place in enumerate(new, first)],
            )
    finally:
        connection.close()
