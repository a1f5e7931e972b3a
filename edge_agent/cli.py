"""`commonground agent`: the commands of a school's IT."""

import json
import secrets
import signal
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from edge_agent.paths import AgentFolder
from edge_agent.settings import TEMPLATE, HubSettings, check_timezone, load_hub, load_settings
from shared.errors import CommonGroundError, SettingsError, UsageError
from shared.settings import write_secret

app = typer.Typer(
    no_args_is_help=True,
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
    port: Annotated[int, typer.Option(help="Port of the status page, on this machine only.")] = 8100,
) -> None:
    """Make a folder with a commented agent.toml and new keys."""
    from shared.link import keys

    check_timezone(timezone)
    paths = AgentFolder(folder)
    if paths.settings.exists():
        raise UsageError(f"{paths.settings} exists already: edit it, or choose another folder")
    (folder / "input").mkdir(parents=True, exist_ok=True)
    paths.secrets.mkdir(mode=0o700, exist_ok=True)
    quoted = {"school": json.dumps(school, ensure_ascii=False), "timezone": json.dumps(timezone)}
    paths.settings.write_text(TEMPLATE.format(port=port, **quoted), encoding="utf-8")
    load_settings(paths)
    keys.load_or_create(paths.secrets, "agent")
    write_secret(paths.secrets / "xapi_password", secrets.token_urlsafe(24).encode())
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
    year: Annotated[int | None, typer.Option(help="The year of lines that name none.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put past logs through the whole pipeline; nothing is sent anywhere."""
    from edge_agent.parts import PARSERS, Parts
    from edge_agent.replay import Replay, advice
    from edge_agent.store.classes import ensure_codes
    from edge_agent.store.schema import MIGRATIONS
    from shared import records
    from shared.storage import Writer

    if source not in PARSERS:
        raise UsageError(f"cannot replay `{source}` yet; known: {', '.join(sorted(PARSERS))}")
    paths = AgentFolder(folder)
    parts = Parts.load(paths, load_settings(paths))
    writer = Writer(paths.database, MIGRATIONS)
    codes = writer.run(lambda connection: ensure_codes(connection, parts.directory.roster))
    writer.close()
    done = Replay(parts, codes, source, year).run(logs, time.time())
    out.write_bytes(b"".join(records.encode(record) + b"\n" for record in done.records))
    counts = {what: dict(reasons) for what, reasons in sorted(done.counts.items())}
    if parts.refused.rows:
        counts["identity rows refused"] = parts.refused.counts()
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
    with _store(AgentFolder(folder)) as connection:
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
) -> None:
    """Print what left: kind, time, size and hash of every record."""
    from edge_agent.store import disclosures as log
    from shared.storage import reader

    paths = AgentFolder(folder)
    _require_database(paths)
    connection = reader(paths.database)
    for row in connection.execute("SELECT * FROM disclosures ORDER BY seq"):
        _out(f"{row['seq']}  {row['at']}  {row['kind']}  {row['bytes']} bytes  {row['sha256']}")
    if verify:
        count, broken = log.verify(connection)
        if broken is not None:
            raise CommonGroundError(f"the chain breaks at entry {broken}: compare it with a backup")
        _out(f"{count} entries, chain unbroken")


@app.command()
def status(folder: Folder, as_json: AsJson = False) -> None:
    """Say whether the running agent works."""
    import urllib.request

    settings = load_settings(AgentFolder(folder))
    url = f"http://127.0.0.1:{settings.page.port}/status.json"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
    except OSError:
        raise CommonGroundError(
            f"no agent answers on port {settings.page.port}: start it with `commonground agent run {folder}`"
        ) from None
    if found.get("school") != settings.school:
        raise CommonGroundError(f"port {settings.page.port} answers for another folder: change [page] port")
    if as_json:
        _out(json.dumps(found))
        return
    _out(f"{found['school']}: {found['working']}")
    totals = {"signals": found["signals"], "windows closed": found["windows"]["closed"]}
    totals["records sent"] = found["outbox"]["sent"]
    _print_counts(totals, {name: found[name] for name in ("refused", "unmatched", "outside")})


def _secret_text(token: str) -> str:
    if token == "-":  # noqa: S105 - the usual name of standard input
        return sys.stdin.read().strip()
    try:
        return Path(token).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{token} cannot be read: {error}") from None


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
