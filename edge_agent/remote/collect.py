"""`commonground collect`: reads a source on another machine of the school, for the agent."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from shared.errors import UsageError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def collect(
    kind: Annotated[str, typer.Argument(help="What wrote the log: dnsmasq, unbound, squid, zeek, ...")],
    log: Annotated[
        Path, typer.Argument(metavar="LOG", help="The file to follow; a pipe, or a folder of files.")
    ],
    agent: Annotated[
        str | None, typer.Option(help="Where the agent listens: tcp://HOST:PORT; else as invited.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(metavar="FILE_OR_-", help="The agent's one-time invitation; needed the first time."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where this collector keeps its key; else in your home.")
    ] = None,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Go over to a new key; the old one is refused then.")
    ] = False,
    mapping: Annotated[
        str | None,
        typer.Option(metavar="NAME_OR_FILE", help="What is where in the log, for kinds that need it."),
    ] = None,
    clock: Annotated[Path | None, typer.Option(hidden=True, help="A simulated clock.")] = None,
) -> None:
    """Read a source on this machine for the school's agent; only pseudonyms of the day leave it."""
    from edge_agent.clock import FileClock, SystemClock
    from edge_agent.commands.common import secret_text
    from edge_agent.remote import running
    from edge_agent.remote.station import Station, default_folder, joined
    from edge_agent.settings import SourceSettings
    from edge_agent.sources.kinds import file_kinds
    from shared import logs
    from shared.link.keys import fingerprint

    readable = file_kinds()
    if kind not in readable:
        raise UsageError(f"cannot read `{kind}` files yet; known: {', '.join(readable)}")
    if folder is None and agent is None:
        raise UsageError("say which agent: --agent tcp://HOST:PORT")
    logs.to_stderr()
    station = Station(folder or default_folder(kind, agent or ""))
    new = station.agent() is None
    known = joined(station, None if token is None else secret_text(token), agent)
    if new:
        agents, own = fingerprint(known.public_key), fingerprint(station.key_pair().public)
        typer.echo(
            f"Joined. The agent's fingerprint: {agents} (`agent invite` said the same)\n"
            f"This collector's fingerprint: {own} (`agent collectors` shows the same)",
            err=True,
        )
    if new_key:
        station.make_next_key()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    source = SourceSettings(kind, "collector", path=str(log.absolute()), mapping=mapping)
    running.run(station, known, source, SystemClock() if clock is None else FileClock(clock), stop)
