"""`agent service`: the agent as a service of this machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge_agent.commands.common import Folder
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings

_LOGS = Path("/var/log")


def service(
    folder: Folder,
    launchd: Annotated[
        bool, typer.Option("--launchd/--systemd", help="For macOS, or for Linux.")
    ] = sys.platform == "darwin",
    user: Annotated[str, typer.Option(help="As whom it runs: a user of its own.")] = "commonground",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there instead of printing it.")
    ] = None,
) -> None:
    """Print a systemd unit with hardening and ceilings, or a launchd property list."""
    from shared import service as made
    from shared.files import replace

    paths = AgentFolder(folder.absolute())
    settings = load_settings(paths)
    reads = [paths.resolve(source.path) for source in settings.sources if source.path]
    own = made.Service(
        name="commonground-agent",
        about=f"Common Ground, edge agent of {settings.school}",
        command=(*made.installed_command(), "agent", "run", str(paths.root)),
        folder=paths.root,
        user=user,
        memory_mib=512,
        runtime=True,
        groups=tuple(sorted({group for path in reads if (group := _group(path))})),
    )
    text = made.launchd(own) if launchd else made.systemd(own)
    if out is None:
        typer.echo(text, nl=False)
    else:
        replace(out, text.encode())
        typer.echo(f"Wrote {out}")


def _group(path: Path) -> str:
    """Whose members may read a log; on Debian it is adm for one that is not there yet."""
    from edge_agent.check.rights import reading_group

    return reading_group(path) or ("adm" if path.is_relative_to(_LOGS) else "")
