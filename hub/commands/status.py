"""`hub status`: how the hub is."""

import typer

from hub.commands.common import Dir, Json, open_views, print_json
from hub.paths import Layout
from hub.tables import render


def status(directory: Dir, as_json: Json = False) -> None:
    """Say how the hub is: schools, what was received, what was refused."""
    from hub.pages.words import verified_sentence

    views = open_views(Layout(directory))
    found = views.status()
    views.close()
    if as_json:
        print_json(found)
        return
    typer.echo(f"{found.district}{' (simulated)' if found.simulated else ''}: {len(found.schools)} schools")
    rows: list[tuple[object, ...]] = [(one.name, one.freshness_words, one.backlog) for one in found.schools]
    if rows:
        typer.echo(render(("school", "state", "backlog"), rows))
    own = [f"{one.id} {one.version}" for one in found.models if one.own]
    if own:
        typer.echo(f"Models of the district's own: {', '.join(own)}")
    typer.echo(f"This hub's fingerprint: {found.fingerprint}")
    if found.alarms:
        typer.echo(f"Alarms: {len(found.alarms)}. `commonground hub alarms {directory}` says what to do.")
    typer.echo(f"As the schools disclosed it? {verified_sentence(found.verified)}")
    received = [(one.reason, one.count) for one in found.counters]
    if received:
        typer.echo("\n" + render(("received", "count"), received))
    refused = [(one.day, one.school, one.reason, one.count) for one in found.refused]
    if refused:
        typer.echo("\n" + render(("day", "school", "refused", "count"), refused))
    typer.echo(
        f"\nInvitation open: {'yes' if found.inviting else 'no'}. Refused records kept: {found.quarantine}."
    )
