"""The school's own entries, written down in `catalogue.toml`: added, changed, taken away."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from edge_agent.catalogue.in_use import school_file
from edge_agent.paths import AgentFolder
from models.catalogue.load import load_catalogue
from models.catalogue.overlay import Entry, Overlay, as_toml, checked, read_overlay
from shared import files, settings
from shared.errors import SettingsError, UsageError
from shared.words import CHANNEL_INDEX

HEADING: Final = """\
The school's own catalogue. An entry is as in the shipped one: id, name, domains, bundle_ids, and a function,
channels or off_task; a domain covers its sub-domains. `background` names are not use. What stands here goes
before the district's and the shipped entries; one with the id of another puts that one out of use.
`commonground agent catalogue DIR` and the agent's page write this file anew, without comments of yours."""
OWN_ID: Final = "_school"


def entry_of(
    name: str,
    *,
    entry_id: str = "",
    domains: Sequence[str] = (),
    bundle_ids: Sequence[str] = (),
    function: str = "",
    channels: dict[str, float] | None = None,
    off_task: bool = False,
) -> Entry:
    """An entry from what somebody typed: names as host names, an id from the name. Raises UsageError."""
    fields = {
        "id": entry_id or _id(name),
        "name": " ".join(name.split()),
        "domains": tuple(dict.fromkeys(host(text) for text in domains)),
        "bundle_ids": tuple(dict.fromkeys(text.strip() for text in bundle_ids)),
        "function": function,
        "channels": channels,
        "off_task": off_task,
    }
    try:
        entry = settings.parse(fields, Entry, "the entry")
        checked(Overlay(app=(entry,)), "the entry")
    except SettingsError as error:
        raise UsageError(str(error)) from None
    return entry


def host(text: str) -> str:
    """A host name as it is listed; of an address on the web only its host is taken."""
    name = text.strip().lower().partition("://")[2] or text.strip().lower()
    return re.split(r"[/?#:]", name, maxsplit=1)[0].removeprefix("*.").removesuffix(".")


def weights_of(text: str) -> dict[str, float]:
    """`practise 0.7, consume 0.3` as weights. Raises UsageError."""
    found: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        words = re.split(r"[\s=:]+", part)
        try:
            channel, weight = words[0], float(words[1])
        except (IndexError, ValueError):
            raise UsageError(f"`{part}` is no weight: write it as `practise 0.7`") from None
        if len(words) > 2 or channel not in CHANNEL_INDEX:
            raise UsageError(f"`{part}` has no known channel: {', '.join(CHANNEL_INDEX)}")
        found[channel] = weight
    return found


def put(folder: AgentFolder, entry: Entry) -> None:
    """Add an entry, or change the one of its id. Raises SettingsError or UsageError; then nothing changes."""
    own = read_overlay(school_file(folder))
    places = {one.id: one for one in own.app} | {entry.id: entry}
    background = tuple(name for name in own.background if name not in entry.domains)
    _write(folder, Overlay(background, tuple(places.values())))


def put_background(folder: AgentFolder, names: Sequence[str]) -> None:
    """Add names that are not use. Raises SettingsError or UsageError; then nothing changes."""
    own = read_overlay(school_file(folder))
    background = tuple(dict.fromkeys((*own.background, *(host(name) for name in names))))
    _write(folder, msgspec.structs.replace(own, background=background))


def remove(folder: AgentFolder, name: str) -> None:
    """Take an own entry (its id) or a background name away. Raises UsageError where there is none."""
    own = read_overlay(school_file(folder))
    left = Overlay(
        tuple(one for one in own.background if one != name), tuple(one for one in own.app if one.id != name)
    )
    if left == own:
        raise UsageError(f"`{name}` is no own entry of this school: `catalogue DIR list` shows them")
    _write(folder, left)


def _write(folder: AgentFolder, overlay: Overlay) -> None:
    try:
        checked(overlay, "the school's catalogue")
        settings.parse(msgspec.to_builtins(overlay), Overlay, "the school's catalogue")
    except SettingsError as error:
        raise UsageError(str(error)) from None
    files.replace(school_file(folder), as_toml(overlay, HEADING).encode())


def _id(name: str) -> str:
    """An id that is no shipped one's: an entry replaces another only where somebody says so by its id."""
    found = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")[:40].strip("_")
    return (found or "app") + OWN_ID if not found or found in load_catalogue().by_id else found
