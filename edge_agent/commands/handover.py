"""`agent handover`: a page for whoever looks after this agent next."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from edge_agent.commands.common import Folder, reading_store, say, school_day
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings


def handover(
    folder: Folder,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = Path("handover.html"),
) -> None:
    """Write a page that tells the next person in IT everything but the secrets, from what is set now."""
    from markupsafe import Markup

    from edge_agent.pages.routes import pages
    from edge_agent.setup.handover import sections
    from shared.files import replace
    from shared.pages.environment import HERE

    paths = AgentFolder(folder.absolute())
    settings = load_settings(paths)
    with ExitStack() as held:
        store = held.enter_context(reading_store(paths)) if paths.database.exists() else None
        found = sections(paths, store)
    text = pages.environment.get_template("handover_file.html").render(
        school=settings.school,
        sections=found,
        written=school_day(paths).isoformat(),
        style=Markup((HERE / "static" / "common.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
    )
    replace(out, text.encode())
    say(f"Wrote {out}. Fill in its blanks, print it, and keep it where the next person will look.")
