"""`commonground agent`: the commands of a school's IT."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from edge_agent.clock import make_clock
from edge_agent.paths import AgentFolder
from edge_agent.settings import HubSettings, load_hub, load_settings
from shared.errors import CommonGroundError, SettingsError, UsageError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback must not print what variables hold
    help="In the school: gather signals, close lessons, send records.",
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The agent's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _out(text: str) -> None:
    typer.echo(text)


@app.command()
def init(
    folder: Folder,
    school: Annotated[str, typer.Option(help="The school's name, as the district writes it.")],
    timezone: Annotated[str, typer.Option(help="IANA time zone, such as Europe/Zurich.")],
    port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port of the status page, on this machine only.")
    ] = 8100,
) -> None:
    """Make a folder with a commented agent.toml and new keys."""
    from edge_agent.new_folder import create

    paths = AgentFolder(folder)
    create(paths, school, timezone, port)
    _out(f"Made {paths.settings}. Next:")
    _out(f"  1. put inventory, roster and bells into {folder / 'input'}, as agent.toml says")
    _out(f"  2. try a past log: commonground agent replay {folder} --source dnsmasq LOG --out records.jsonl")
    _out(f"  3. join the district: commonground agent join {folder} TOKEN_FILE, then agent run {folder}")


@app.command()
def join(
    folder: Folder,
    token: Annotated[str, typer.Argument(metavar="TOKEN_FILE", help="A file, or - for standard input.")],
) -> None:
    """Join the district's hub with its one-time invitation."""
    from shared.link import invitations, keys
    from shared.link.joining import join as join_hub

    paths = AgentFolder(folder)
    settings = load_settings(paths)
    if load_hub(paths) is not None:
        raise UsageError(
            f"{paths.hub} exists: this agent has joined a hub already; remove it to join another"
        )
    invitation = invitations.decode(_secret_text(token))
    pair = keys.load_or_create(paths.secrets, "agent")
    join_hub(invitation.address, invitation.server_public, pair, invitation.secret, settings.school, 20.0)
    hub = HubSettings(invitation.address, invitation.server_public)
    lines = [f"{name} = {json.dumps(getattr(hub, name))}\n" for name in ("address", "public_key")]
    paths.hub.write_text("# The district's hub, as its invitation named it.\n" + "".join(lines))
    _out(f"Joined. The hub's fingerprint: {keys.fingerprint(hub.public_key)}")
    _out(f"This agent's fingerprint: {keys.fingerprint(pair.public)}")


@app.command()
def run(folder: Folder) -> None:
    """Run until stopped (Ctrl-C, SIGTERM)."""
    from edge_agent.agent import Agent
    from shared import logs

    logs.to_stderr()
    agent = Agent(folder)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: agent.stop())
    agent.run()


@app.command()
def replay(
    folder: Folder,
    logs: Annotated[list[Path], typer.Argument(metavar="LOG...", help="Past logs, the oldest first.")],
    source: Annotated[str, typer.Option(help="What wrote them: dnsmasq or pihole.")],
    out: Annotated[Path, typer.Option(help="Where the records go, one JSON object a line.")],
    year: Annotated[
        int | None, typer.Option(min=1970, max=2105, help="The year of lines that name none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put past logs through the whole pipeline; nothing is sent anywhere."""
    from edge_agent.replay import advice, replay_folder

    with _progress("Reading the logs") as progress:
        done = replay_folder(
            AgentFolder(folder), logs, out, source=source, year=year, now=time.time(), progress=progress
        )
    counts = {what: dict(reasons) for what, reasons in sorted(done.counts.items())}
    totals = {"lines": done.lines, "signals": done.signals, "lessons": done.lessons}
    totals["records"] = len(done.records)
    if as_json:
        _out(json.dumps({**totals, "counts": counts}))
    else:
        _print_counts(totals, counts)
    if not done.lessons:
        raise CommonGroundError(f"no lesson found. {advice(done)}")
    if not done.records:
        raise CommonGroundError(
            f"{done.lessons} lessons found, none with enough devices to be written: see the reasons above"
        )


@app.command()
def classes(folder: Folder, as_json: AsJson = False) -> None:
    """List class codes with the roster's class ids: for the school's own staff, not for sending on."""
    from edge_agent.identity.load import load_directory
    from edge_agent.store.classes import ensure_codes, shared_until

    paths = AgentFolder(folder)
    directory, _ = load_directory(paths, load_settings(paths))
    with _store(paths) as connection:
        codes = ensure_codes(connection, directory.roster)
        until = shared_until(connection)
    rows = [
        {
            "code": codes[item.id],
            "class_id": item.id,
            "subject": item.subject,
            "grade_band": item.grade_band,
            "shared_until": until[codes[item.id]].isoformat() if codes[item.id] in until else None,
        }
        for item in directory.roster.classes.values()
    ]
    if as_json:
        _out(json.dumps(rows))
        return
    for row in rows:
        shared = f"shared until {row['shared_until']}" if row["shared_until"] else "not shared"
        _out(f"{row['code']}  {row['class_id']}  {row['subject']}  {row['grade_band']}  {shared}")


@app.command()
def share(
    folder: Folder,
    codes: Annotated[list[str], typer.Argument(metavar="CLASS...", help="Class codes.")],
    until: Annotated[str, typer.Option(help="The last day, as YYYY-MM-DD.")],
) -> None:
    """Share classes' lessons with the district, on their teachers' behalf; logged."""
    from edge_agent.store import classes as store

    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise UsageError(f"`{until}` is no date: write it as YYYY-MM-DD") from None
    paths = AgentFolder(folder)
    today = _today(paths)
    if day < today:
        raise UsageError(f"{day.isoformat()} is over, today is {today.isoformat()}: choose a day to come")
    with _store(paths) as connection:
        for code in codes:
            store.share(connection, code, day, _now())
    _out(f"Shared until {day.isoformat()}, on their teachers' behalf: {', '.join(codes)}")


@app.command()
def unshare(
    folder: Folder, code: Annotated[str, typer.Argument(metavar="CLASS", help="The class code.")]
) -> None:
    """Stop sharing a class; its records that wait are withdrawn."""
    from edge_agent.store import classes as store

    with _store(AgentFolder(folder)) as connection:
        withdrawn = store.unshare(connection, code, _now())
    _out(f"Class {code} is no longer shared; {withdrawn} records that waited were withdrawn.")


@app.command()
def disclosures(
    folder: Folder,
    verify: Annotated[bool, typer.Option("--verify", help="Check the hash chain.")] = False,
    records: Annotated[bool, typer.Option("--records", help="Print the records themselves too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what left: kind, time, size and hash of every record."""
    from edge_agent.store import disclosures as log
    from shared.storage import reader

    paths = AgentFolder(folder)
    _require_database(paths)
    connection = reader(paths.database)
    found = connection.execute(
        "SELECT seq, at, kind, number, bytes, sha256, chain, payload FROM disclosures ORDER BY seq"
    )
    entries = [log.shown(row, records) for row in found]
    count, broken = log.verify(connection) if verify else (len(entries), None)
    connection.close()
    if as_json:
        chain = {"chain": {"unbroken": broken is None, "breaks_at": broken}} if verify else {}
        _out(json.dumps({"entries": entries, **chain}))
    else:
        for entry in entries:
            _out("{seq}  {at}  {kind}  {bytes} bytes  {sha256}".format_map(entry))
            if entry.get("record"):
                _out(f"    {json.dumps(entry['record'], ensure_ascii=False)}")
    if broken is not None:
        raise CommonGroundError(f"the chain breaks at entry {broken}: compare it with a backup")
    if verify and not as_json:
        _out(f"{count} entries, chain unbroken")


@app.command()
def status(folder: Folder, as_json: AsJson = False) -> None:
    """Say whether the running agent works."""
    from edge_agent.asking import ask
    from edge_agent.pages.shape import model_words

    said, found = ask(load_settings(AgentFolder(folder)), folder)
    if as_json:
        _out(json.dumps(json.loads(said)))
        return
    _out(f"{found.school}: {found.working}")
    totals = {"signals": sum(source.signals for source in found.sources)}
    totals |= {"windows closed": found.windows.closed, "records sent": found.outbox.sent}
    for model in found.models:
        _out(f"Model {model.id} {model.version}: {model_words(model)}")
    _print_counts(totals, {"refused": found.refused, "unmatched": found.unmatched, "outside": found.outside})


def _today(paths: AgentFolder) -> date:
    """The school's own date, in a simulation the simulated one."""
    settings = load_settings(paths)
    clock = make_clock(paths, settings)
    return datetime.fromtimestamp(clock.now(), settings.zone).date()


@contextmanager
def _progress(label: str) -> Iterator[Callable[[float], None] | None]:
    """A bar that is told the share done, when a terminal is attached; else nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _secret_text(token: str) -> str:
    try:
        if token == "-":  # noqa: S105 - the usual name of standard input
            return sys.stdin.read().strip()
        return Path(token).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, ValueError):
        # Not repeated: somebody may have put the invitation itself here, and logs keep command lines.
        raise UsageError(
            "the invitation cannot be read: give the path of its file, or - to paste it"
        ) from None


class _store:  # noqa: N801 - reads as a statement: `with _store(folder) as connection:`
    """One short transaction in the agent's file; works while the agent runs."""

    def __init__(self, paths: AgentFolder) -> None:
        from edge_agent.store.schema import MIGRATIONS
        from shared.storage import connect, migrate, transaction

        load_settings(paths)
        self._connection = connect(paths.database)
        migrate(self._connection, MIGRATIONS)
        self._transaction = transaction(self._connection)

    def __enter__(self) -> Any:
        return self._transaction.__enter__()

    def __exit__(self, *details: Any) -> None:
        try:
            self._transaction.__exit__(*details)
        finally:
            self._connection.close()


def _require_database(paths: AgentFolder) -> None:
    if not paths.database.exists():
        raise SettingsError(f"{paths.database} is missing: this agent has not run yet")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _print_counts(totals: dict[str, int], counts: dict[str, dict[str, int]]) -> None:
    _out(", ".join(f"{number} {name}" for name, number in totals.items()))
    rows = [(what, reason, number) for what, reasons in counts.items() for reason, number in reasons.items()]
    if not rows:
        return
    table = Table("what", "reason", "number", box=None)
    for what, reason, number in rows:
        table.add_row(what, reason, str(number))
    Console().print(table)
