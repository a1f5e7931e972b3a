"""Whatever roster lies at a path: recognised by its files, read by its own reader."""

from collections.abc import Iterable
from pathlib import Path

from edge_agent.identity import apple
from edge_agent.identity.bundle import bundles
from edge_agent.identity.oneroster import read_oneroster
from edge_agent.identity.people import Names
from edge_agent.identity.roster import Roster
from edge_agent.identity.tables import Refused
from shared.errors import SettingsError


def load_roster(
    path: Path, refused: Refused, *, school: str = "", org: str | None = None, users: Iterable[str] = ()
) -> Roster:
    """OneRoster (a folder or zips, whole or with changes) or Apple School Manager's zip.

    `school` and `org` tell which school is meant if there are several, `users` are those of the device
    inventory. Rows of no use are refused and counted; raises SettingsError for an unusable export.
    """
    found = bundles(path)
    names = Names(users)
    if any(bundle.has("users.csv") or bundle.has("enrollments.csv") for bundle in found):
        return read_oneroster(found, refused, names, school=school, org=org)
    whole = [bundle for bundle in found if bundle.has(*apple.NEEDED)]
    if whole:
        return apple.read_apple(whole[-1], refused, names, school=school, org=org)
    if any(bundle.packed for bundle in found):
        raise SettingsError(f"{path} holds another zip: unpack it once, and name the zip that was inside")
    raise SettingsError(
        f"{path} holds no roster: it needs OneRoster's users.csv, classes.csv and enrollments.csv, or Apple"
        " School Manager's six files, as CSV or zip"
    )
