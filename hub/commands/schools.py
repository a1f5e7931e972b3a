"""`hub schools`: the schools by name."""

import typer

from hub.commands.common import Dir, Json, open_views, print_json
from hub.paths import Layout
from hub.tables import render


def schools(directory: Dir, as_json: Json = False) -> None:
    """List the schools by name."""
    views = open_views(Layout(directory))
    found = views.status().schools
    views.close()
    if as_json:
        print_json(found)
        return
    header = ("school", "slug", "state", "lessons shared", "weeks", "latest week", "backlog", "key", "since")
    rows = [
        (
            one.name + (" (simulated)" if one.simulated else ""),
            *(one.slug, one.freshness_words, one.lessons_shared, one.weeks, one.latest_week, one.backlog),
            *(one.fingerprint, one.enrolled),
        )
        for one in found
    ]
    typer.echo(render(header, rows) if rows else "No school yet: `invite` one.")
