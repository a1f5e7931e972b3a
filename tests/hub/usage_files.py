"""Usage exports as files, and importing them through a mapping."""

from pathlib import Path

from hub import folder
from hub.paths import Layout
from hub.usage.load_mapped import import_mapped
from hub.usage.mapped import load_mapping
from hub.usage.write import FileReport
from hub.views import UsageDistrictView, Views

WHOSE = {"export": "own", "of": "a school"}
CATCHON = "School,Application,URL,Date,Users,Engagements\n"


def load(layout: Layout, name: str, *paths: Path, place: str = "elm-street") -> list[FileReport]:
    """Import through a mapping."""
    connection = folder.connect(layout)
    try:
        return import_mapped(connection, paths, load_mapping(name), place, WHOSE)
    finally:
        connection.close()


def shown(layout: Layout, place: str) -> UsageDistrictView | None:
    """The view of one district or school."""
    views = Views(layout.folder)
    try:
        return views.usage_district(place)
    finally:
        views.close()


def written(path: Path, text: str | bytes) -> Path:
    """A file with that in it."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
