"""`hub status`: how the hub is."""

import typer

from hub.commands.common import Dir, Json, open_views, print_json
from hub.paths import Layout
from hub.tables import render


def status(directory: Dir, as_json: Json = False) -> None:
    """Say how the hub is: schools, what was received, what was refused."""
    from hub.pages.reasons import received_words, refused_words
    from hub.pages.words import unsent_sentence, verified_sentence, waiting_key_sentence
    from shared.pages.formats import count

    views = open_views(Layout(directory))
    found = views.status()
    views.close()
    if as_json:
        print_json(found)
        return
    marked = " (simulated)" if found.simulated and not found.district.endswith("(simulated)") else ""
    typer.echo(f"{found.district}{marked}: {count(len(found.schools), 'school')}")
    rows: list[tuple[object, ...]] = [(one.name, one.freshness_words, one.backlog) for one in found.schools]
    if rows:
        typer.echo(render(("school", "state", "backlog"), rows))
    if found.unsent:
        typer.echo(unsent_sentence(found.unsent))
    own = [f"{one.id} {one.version}" for one in found.models if one.own]
    if own:
        typer.echo(f"Models of the district's own: {', '.join(own)}")
    typer.echo(f"This hub's fingerprint: {found.fingerprint}")
    if found.next_key:
        typer.echo(f"The key to come: {found.next_key}")
        typer.echo(waiting_key_sentence(found.next_key, found.not_told).replace("DIR", str(directory)))
        for name in found.not_told:
            typer.echo(f"  {name}")
    if found.trouble:
        typer.echo(found.trouble)
    if found.alarms:
        typer.echo(f"Alarms: {len(found.alarms)}. `commonground hub alarms {directory}` says what to do.")
    typer.echo(f"As the schools disclosed it? {verified_sentence(found.verified)}")
    received = [(one.count, received_words(one.reason)) for one in found.counters]
    if received:
        typer.echo("\n" + render(("count", "received"), received))
    refused = [(one.day, one.school, one.count, refused_words(one.reason)) for one in found.refused]
    if refused:
        typer.echo("\n" + render(("day", "school", "count", "refused"), refused))
    typer.echo(
        f"\nInvitation open: {'yes' if found.inviting else 'no'}. Refused records kept: {found.quarantine}."
    )
