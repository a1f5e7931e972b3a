"""`hub.toml`: what the settings of a hub are, and the commented file that `init` writes."""

import json
import tomllib
from typing import Annotated

import msgspec
from msgspec import Meta

from hub.paths import Layout
from shared import settings
from shared.errors import SettingsError, UsageError

DEFAULT_PORT = 8000
DEFAULT_LINK = "tcp://127.0.0.1:5710"

Port = Annotated[int, Meta(ge=1, le=65_535)]
Address = Annotated[str, Meta(pattern=r"^tcp://[^\s/:]+:\d{1,5}$")]
Name = Annotated[str, Meta(min_length=1, max_length=120)]


class PageSettings(msgspec.Struct, frozen=True):
    """Where the pages are served: this machine only."""

    port: Port = DEFAULT_PORT


class LinkSettings(msgspec.Struct, frozen=True):
    """Where schools deliver."""

    address: Address = DEFAULT_LINK


class HubSettings(msgspec.Struct, frozen=True):
    """One hub."""

    district: Name
    simulated: bool = False
    page: PageSettings = PageSettings()
    link: LinkSettings = LinkSettings()


def load(layout: Layout) -> HubSettings:
    """The folder's settings; raises SettingsError with one line that says what to do."""
    return settings.load(layout.settings, HubSettings)


def check(text: str) -> None:
    """Raises UsageError when settings about to be written would not load."""
    try:
        settings.parse(tomllib.loads(text), HubSettings, "hub.toml")
    except SettingsError as error:
        raise UsageError(str(error)) from None


def checked_name(name: str, what: str) -> str:
    """A name that fits records and settings: 1 to 120 printable characters."""
    name = name.strip()
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise UsageError(f"the {what}'s name must be 1 to 120 printable characters")
    return name


def template(district: str, port: int, link: str, simulated: bool) -> str:
    """The commented file for a new folder."""
    return f"""\
# Settings of this hub. An unknown key is an error; restart the hub after a change.

# Name of the district, as the pages show it.
district = {json.dumps(district, ensure_ascii=False)}

# True when every school here is made by the simulator; the pages then say so.
simulated = {json.dumps(simulated)}

[page]
# The pages are served to this machine only: http://127.0.0.1:{port}/
port = {port}

[link]
# Where the schools' agents deliver. For schools on other machines, use the address of this
# machine's network card, and invite them again: the invitation carries this address.
address = {json.dumps(link)}
"""
