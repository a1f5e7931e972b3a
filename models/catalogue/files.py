"""The catalogue's TOML files as they are written: their shapes, and how a folder of them is read."""

from pathlib import Path
from typing import Final

import msgspec

from shared import settings

HERE: Final = Path(__file__).parent


class AppRow(msgspec.Struct, frozen=True):
    """One `[[app]]` of apps.toml, as written."""

    id: str
    name: str
    names: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    bundle_ids: tuple[str, ...] = ()
    lp_ids: tuple[str, ...] = ()
    function: str = ""
    channels: dict[str, float] | None = None
    off_task: bool = False


class AppsFile(msgspec.Struct, frozen=True):
    """apps.toml: every app, in index order."""

    app: tuple[AppRow, ...]


class FunctionsFile(msgspec.Struct, frozen=True):
    """functions.toml: Primary Essential Function -> channel -> weight."""

    functions: dict[str, dict[str, float]]


class BackgroundFile(msgspec.Struct, frozen=True):
    """background.toml: category -> names that are not use."""

    categories: dict[str, tuple[str, ...]]


class LearnPlatformFile(msgspec.Struct, frozen=True):
    """learnplatform.toml: the LearnPlatform products that must be covered."""

    lp_ids: tuple[str, ...]


class CatalogueFiles(msgspec.Struct, frozen=True):
    """A folder's four files, parsed and of the right shape, but not yet checked against one another."""

    apps: tuple[AppRow, ...]
    functions: dict[str, dict[str, float]]
    background: dict[str, tuple[str, ...]]
    lp_ids: tuple[str, ...]


def read_files(folder: Path = HERE) -> CatalogueFiles:
    """The four files of `folder`.

    Raises SettingsError for a file that is missing, not TOML, or not of its shape.
    """
    return CatalogueFiles(
        apps=settings.load(folder / "apps.toml", AppsFile).app,
        functions=settings.load(folder / "functions.toml", FunctionsFile).functions,
        background=settings.load(folder / "background.toml", BackgroundFile).categories,
        lp_ids=settings.load(folder / "learnplatform.toml", LearnPlatformFile).lp_ids,
    )
