"""Which school of an export is meant, where a district exports several in one."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from shared.errors import SettingsError

_NAMED: Final = 5  # how many schools a message lists


def which_school(
    path: Path, used: Iterable[str], names: Mapping[str, Sequence[str]], school: str, org: str | None
) -> str | None:
    """The id of the school that is meant; None where the classes are of one school alone.

    `used` are the ids that classes have, `names` what else the export calls a school, the best name first.
    `org` (id or name) is what the settings say, or else `school` (a name). Raises SettingsError where that
    names none, or several.
    """
    ids = sorted({*used} - {""})
    if len(ids) < 2 and org is None:
        return None
    wanted = (org or school).strip().casefold()
    found = [key for key in ids if wanted in {name.casefold() for name in (key, *names.get(key, ()))}]
    if wanted and len(found) == 1:
        return found[0]
    listed = ", ".join(f"{key} ({names[key][0]})" if names.get(key) else key for key in ids[:_NAMED])
    what = "no school, or more than one, that is called" if org else "several schools, and none is called"
    raise SettingsError(
        f"{path} holds {what} `{org or school}`: give one of these as org under [identity]: {listed}"
    )
