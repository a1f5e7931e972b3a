"""`hub.toml`: what the settings of a hub are, and the commented file that `init` writes."""

import json
import tomllib
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hub.paths import Layout
from shared import settings
from shared.errors import SettingsError, UsageError
from shared.link.sockets import check_address
from shared.notice import NoticeSettings
from shared.notice import check as check_notice

DEFAULT_PORT = 8000
DEFAULT_LINK = "tcp://127.0.0.1:5710"
EXAMPLE: Final = "tcp://hub.district.example:5710"
ANYWHERE: Final = frozenset("*0.:[]")  # all that is in `*`, `0.0.0.0`, `[::]` and their other spellings

Port = Annotated[int, Meta(ge=1, le=65_535)]
Name = Annotated[str, Meta(min_length=1, max_length=120)]


class PageSettings(msgspec.Struct, frozen=True):
    """Where the pages are served: this machine only."""

    port: Port = DEFAULT_PORT


class LinkSettings(msgspec.Struct, frozen=True):
    """Where the hub listens for schools, and what its invitations name if that is another address."""

    address: str = DEFAULT_LINK
    public: str | None = None


class HubSettings(msgspec.Struct, frozen=True):
    """One hub."""

    district: Name
    simulated: bool = False
    page: PageSettings = PageSettings()
    link: LinkSettings = LinkSettings()
    notice: NoticeSettings = NoticeSettings()


def load(layout: Layout) -> HubSettings:
    """The folder's settings; raises SettingsError with one line that says what to do."""
    own = settings.load(layout.settings, HubSettings)
    _check_link(own.link, str(layout.settings))
    check_notice(own.notice, str(layout.settings))
    return own


def check(text: str) -> None:
    """Raises UsageError when settings about to be written would not load, or could invite nobody."""
    try:
        own = settings.parse(tomllib.loads(text), HubSettings, "hub.toml")
        _check_link(own.link, "hub.toml")
        advertised(own)
    except SettingsError as error:
        raise UsageError(str(error)) from None


def advertised(own: HubSettings) -> str:
    """The address that invitations name; raises SettingsError when it only says where to listen."""
    address = own.link.public or own.link.address
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    if ANYWHERE.issuperset(host):
        raise SettingsError(
            f"no agent can call `{address}`: say under [link] of hub.toml (`--public` of init) how schools"
            f' reach this machine, for example public = "tcp://hub.district.example:{port}"'
        )
    return address


def _check_link(link: LinkSettings, name: str) -> None:
    for key, address in (("address", link.address), ("public", link.public)):
        if address is None:
            continue
        try:
            check_address(address, listening=True)
        except SettingsError as error:
            raise SettingsError(f"{name}: [link] {key}: {error}") from None
        if address.endswith(":*"):
            raise SettingsError(f"{name}: [link] {key}: `{address}` has no port: choose 1 to 65535")


def checked_name(name: str, what: str) -> str:
    """A name that fits records and settings: 1 to 120 printable characters."""
    name = name.strip()
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise UsageError(f"the {what}'s name must be 1 to 120 printable characters")
    return name


def template(district: str, port: int, link: str, public: str | None, simulated: bool) -> str:
    """The commented file for a new folder."""
    named = f"public = {json.dumps(public)}" if public is not None else f"# public = {json.dumps(EXAMPLE)}"
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
# Where this hub listens for the schools' agents. For schools on other machines, use the address of
# this machine's network card, or tcp://0.0.0.0:5710 for all of its cards and `public` below.
address = {json.dumps(link)}

# What invitations name, where schools reach this hub by another address than it listens on: a name,
# a router's address. Without it they name `address`. Agents that have joined keep what their invitation
# named, in their own hub.toml.
{named}

[notice]
# Word when a school's agent has not been heard for an hour, and when it is heard again: by e-mail
# (port 587 and STARTTLS unless `port` and `tls` say otherwise), to a webhook as JSON, or both.
# smtp = "mail.district.example"
# from = "commonground@district.example"
# to = ["it@district.example"]
# user = "commonground"
# password_file = "smtp_password"
# webhook = "https://chat.district.example/hooks/it"
"""
