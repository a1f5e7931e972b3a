"""What can be known of each source: its file, its port, its newest lines, and what the running agent says."""

import errno
import ipaddress
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from edge_agent.check.facts import LogFacts, SourceFacts
from edge_agent.check.retention import log_facts
from edge_agent.check.rights import advice
from edge_agent.check.sampling import Progress, Read, Sampler
from edge_agent.pages.shape import AgentStatus, Source
from edge_agent.parts import parser
from edge_agent.paths import AgentFolder
from edge_agent.replay.past import first_moment
from edge_agent.settings import AgentSettings, SourceSettings
from edge_agent.sources.kinds import KINDS
from shared.errors import CommonGroundError, SettingsError, UsageError
from shared.serving import LOOPBACK

_NETWORK: Final = re.compile(r"(udp|tcp)://\[?([^\[\]/]+?)\]?:(\d{1,5})")
_TAKEN: Final = "Stop the other program (`ss -lntup` names it), or take another port here and there."
_READS: Final = "Correct `kind`, `path` and `mapping` of this source in agent.toml."


class SourceLook:
    """Looks at every source of an agent; nothing raises for what is wrong with one."""

    def __init__(
        self,
        folder: AgentFolder,
        settings: AgentSettings,
        running: AgentStatus | None,
        sampler: Sampler | None,
        now: float,
        system: Path,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._running = {one.id: one for one in running.sources} if running is not None else {}
        self._sampler = sampler
        self._now = now
        self._system = system

    def sources(self, progress: Progress | None = None) -> Iterator[SourceFacts]:
        """Facts of each source; `progress` is told the share done."""
        every = self._settings.sources
        for source in every:  # all leases first: another source's look-ups may need them
            path = self._on_disk(source)
            if path is not None and self._sampler is not None:
                with suppress(OSError, CommonGroundError):  # said below
                    self._sampler.learn_leases(source, path)
        for number, source in enumerate(every, start=1):
            path = self._on_disk(source)
            yield self._listener(source) if path is None else self._log(source, path)
            if progress is not None:
                progress(number / len(every))

    def _on_disk(self, source: SourceSettings) -> Path | None:
        path = None if source.path is None else self._folder.resolve(source.path)
        return None if path is None or path.is_fifo() else path

    def _log(self, source: SourceSettings, path: Path) -> SourceFacts:
        trouble, read = unreadable(path), Read()
        row = KINDS.get(source.kind)
        if not trouble and (row is None or row.framed):
            trouble = f"is no file that `{source.kind}` can be read from"
        steps = advice(path, source.kind)
        if not trouble and self._sampler is not None:
            steps = _READS
            try:
                read = self._sampler.read(source, path)
            except OSError as error:
                trouble = f"cannot be read: {error.strerror or type(error).__name__}"
            except (SettingsError, UsageError) as error:
                trouble = f"cannot be read: {error}"
        return SourceFacts(
            id=source.id,
            kind=source.kind,
            where=source.path or "",
            trouble=trouble,
            advice=steps if trouble else "",
            looked_into=self._sampler is not None,
            newest=read.newest,
            written=_changed(path),
            lines=read.lines,
            refused=dict(read.refused),
            tells_leases=row is not None and row.tells_leases is not None,
            log=None if trouble else self._kept(source, path),
        )

    def _kept(self, source: SourceSettings, path: Path) -> LogFacts | None:
        """What lies on disk of a log; a folder of dropped files is not rotated by anybody."""
        if path.is_dir():
            return None

        def first(file: Path) -> float | None:
            with suppress(CommonGroundError, OSError):
                parse = parser(
                    source.kind, self._settings.zone, mapping=source.mapping, folder=self._folder.root
                )
                return first_moment(file, parse, self._now, self._now)
            return None

        return log_facts(path, source.kind, first, self._system)

    def _listener(self, source: SourceSettings) -> SourceFacts:
        told = self._running.get(source.id)
        where = source.listen or (f"port {source.port}" if source.port is not None else source.path or "")
        trouble, steps = ("", "") if told is not None else _cannot_listen(self._folder, source)
        if told is not None and "cannot" in told.state:
            trouble, steps = f"does not work: {told.state}", "See the agent’s log, then start it anew."
        row = KINDS.get(source.kind)
        return SourceFacts(
            id=source.id,
            kind=source.kind,
            where=where,
            listens=True,
            is_open=_is_open(source),
            trouble=trouble,
            advice=steps,
            newest=_newest(told),
            lines=told.lines if told is not None else 0,
            refused=dict(told.refused) if told is not None else {},
            placed=told.signals if told is not None else 0,
            misses=dict(told.unmatched) if told is not None else {},
            tells_leases=row is not None and row.tells_leases is not None,
        )


def unreadable(path: Path) -> str:
    """Why a file or folder cannot be read, in words; nothing if it can."""
    try:
        if path.is_dir():
            next(iter(path.iterdir()), None)
        elif path.is_file():
            with path.open("rb") as file:
                file.read(1)
        elif path.exists():
            return "is neither a file nor a folder"
        else:
            return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror or type(error).__name__}"
    return ""


def _changed(path: Path) -> float | None:
    """When a log's file was last written, as far as the disk says so; nothing of a folder."""
    try:
        found = path.stat()
    except OSError:
        return None
    return None if path.is_dir() else found.st_mtime


def _newest(told: Source | None) -> float | None:
    if told is None or told.fresh is None:
        return None
    return datetime.fromisoformat(told.fresh).timestamp()


def _is_open(source: SourceSettings) -> bool:
    found = _NETWORK.fullmatch(source.listen or "")
    if found is None or source.senders:
        return False
    try:
        return not ipaddress.ip_address(found[2]).is_loopback
    except ValueError:
        return False  # localhost, or no address at all: said elsewhere


def _cannot_listen(folder: AgentFolder, source: SourceSettings) -> tuple[str, str]:
    """Why nothing could be listened to there, and what to do; tried, and let go at once."""
    if source.path is not None:
        return "", ""  # a pipe: opening it would wake its writer
    if source.port is not None:
        return _try(socket.SOCK_STREAM, LOOPBACK, source.port)
    listen = source.listen or ""
    if listen.startswith("unix:"):
        parent = folder.resolve(listen.removeprefix("unix:")).parent
        return ("", "") if parent.is_dir() else ("has no folder", f"Make {parent} for the agent’s user.")
    found = _NETWORK.fullmatch(listen)
    if found is None:
        return "is no address to listen at", "Write udp://HOST:PORT, tcp://HOST:PORT or unix:PATH."
    kind = socket.SOCK_DGRAM if found[1] == "udp" else socket.SOCK_STREAM
    return _try(kind, found[2], int(found[3]))


def _try(kind: socket.SocketKind, host: str, port: int) -> tuple[str, str]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as trial:
        if kind == socket.SOCK_STREAM:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except PermissionError:
            return "may not be listened at", "Choose a port from 1024 on."
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "is taken by another program", _TAKEN
            return "is no address of this machine", "Name one: `ip addr` lists them; 127.0.0.1 is the safest."
        except OverflowError:
            return "has no such port", "Choose a port from 1024 to 65535."
    return "", ""
