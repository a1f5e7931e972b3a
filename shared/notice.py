"""Word to whoever looks after a machine: what a notice is, and where its settings say that it goes.

A notice holds nothing of a learner, a device or a lesson. How it is sent is in `shared/sending.py`.
"""

from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from shared.errors import SettingsError

Channel = Literal["email", "webhook"]


class NoticeSettings(msgspec.Struct, frozen=True):
    """Where notices go; nowhere unless `smtp` or `webhook` is given. Files begin at the folder."""

    smtp: str | None = None
    port: Annotated[int, Meta(ge=1, le=65_535)] = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    sender: str | None = msgspec.field(default=None, name="from")
    to: Annotated[tuple[str, ...], Meta(max_length=20)] = ()
    user: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    webhook: str | None = None


class Notice(msgspec.Struct, frozen=True):
    """One message: `id` is the same however often it is sent; `text` is lines; `about` is for programs."""

    id: str
    subject: str
    text: str
    about: dict[str, str] = {}


def channels(settings: NoticeSettings) -> tuple[Channel, ...]:
    """The ways that are set up."""
    ways: tuple[tuple[Channel, str | None], ...] = (("email", settings.smtp), ("webhook", settings.webhook))
    return tuple(way for way, given in ways if given)


def check(settings: NoticeSettings, where: str) -> None:
    """Raises SettingsError for settings by which nothing could be sent; `where` names their file."""
    if settings.smtp is not None:
        if not settings.sender or not settings.to:
            raise SettingsError(f"{where}: [notice] needs `from` and `to` beside `smtp`")
        for address in (settings.sender, *settings.to):
            if "@" not in address or not address.isprintable() or " " in address:
                raise SettingsError(f"{where}: [notice]: `{address}` is no e-mail address")
        if settings.user is not None and settings.password_file is None:
            raise SettingsError(f"{where}: [notice] needs `password_file` beside `user`")
        if settings.password_file is not None and settings.tls == "none":
            raise SettingsError(f"{where}: [notice]: a password is never sent without TLS: set `tls`")
    if settings.webhook is not None and not _is_address(settings.webhook):
        raise SettingsError(f"{where}: [notice] webhook: write an address that begins with https://")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:  # half of an IPv6 address
        return False
    return parts.scheme in {"https", "http"} and bool(parts.hostname)
