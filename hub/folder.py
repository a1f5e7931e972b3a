"""A new hub folder: keys, database, and last the settings, whose presence makes it a hub's."""

import sqlite3

from hub import settings
from hub.paths import Layout
from hub.store.schema import MIGRATIONS
from shared import storage
from shared.errors import SettingsError, UsageError
from shared.files import replace
from shared.link import keys

LINK_KEY = "link"


def create(
    layout: Layout, district: str, port: int, link: str, simulated: bool, public: str | None = None
) -> None:
    """Write a hub's folder; what an earlier, interrupted call left is used.

    Raises UsageError, before anything is written, for a value that would not load or could invite nobody,
    SettingsError when the folder is a hub's already.
    """
    text = settings.template(settings.checked_name(district, "district"), port, link, public, simulated)
    settings.check(text)
    if layout.settings.exists():
        raise SettingsError(f"{layout.folder} is a hub's folder already: `run` it, or choose another folder")
    try:
        layout.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{layout.folder} cannot be made: {error.strerror}; choose another folder") from None
    layout.folder.chmod(0o700)
    layout.models.mkdir(exist_ok=True)
    layout.fits.mkdir(exist_ok=True)
    link_keys(layout)
    connection = storage.connect(layout.database)
    try:
        storage.migrate(connection, MIGRATIONS)
    finally:
        connection.close()
    replace(layout.settings, text.encode())


def connect(layout: Layout) -> sqlite3.Connection:
    """The database of a hub's folder, at this program's schema; for the caller to close."""
    settings.load(layout)
    if not layout.database.exists():
        raise SettingsError(f"{layout.database} is missing: restore it from the backup of this folder")
    connection = storage.connect(layout.database)
    storage.migrate(connection, MIGRATIONS)
    return connection


def link_keys(layout: Layout) -> keys.KeyPair:
    """The hub's key pair on the link; raises SettingsError when its file cannot be used."""
    try:
        return keys.load_or_create(layout.keys, LINK_KEY)
    except OSError as error:
        path = layout.keys / f"{LINK_KEY}.key"
        raise SettingsError(
            f"{path} cannot be read as a key ({error.strerror}): restore it from the backup of this folder"
        ) from None


def next_keys(layout: Layout) -> tuple[keys.KeyPair | None, str]:
    """The key pair that is to follow, if one was made, and what is wrong with one that cannot be used."""
    try:
        return keys.next_pair(layout.keys, LINK_KEY), ""
    except (SettingsError, OSError):
        path = layout.keys / f"{LINK_KEY}.next.key"
        return None, f"{path} is no key that can follow this hub's: remove it, and `rotate-key` again"
