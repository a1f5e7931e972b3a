"""Sources that leave no file: syslog by UDP or TCP, dnstap, a named pipe. None can be read again."""

import errno
import ipaddress
import os
import re
import socket
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from edge_agent.clock import Clock
from edge_agent.paths import AgentFolder
from edge_agent.placing.collector import Collector
from edge_agent.settings import SourceSettings
from edge_agent.sources.failing import RETRY_SECONDS, broken, report
from edge_agent.sources.framestream import FrameStream
from edge_agent.sources.framing import Framing
from edge_agent.sources.handing import BATCH_BYTES, Handing
from edge_agent.sources.kinds import KINDS
from edge_agent.sources.parsing import Parse
from edge_agent.sources.receivers import Connections, Datagrams, Pipe, Receiver
from edge_agent.sources.senders import networks
from edge_agent.sources.syslog import SyslogStream
from shared.errors import BusyError, CommonGroundError, SettingsError
from shared.link.spool import Spool

TURN_SECONDS: Final = 0.2
HELD_UP_SECONDS: Final = 600.0  # what came so long ago was read, however busy a sender is
SWEEP_TURNS: Final = 20
SWEEP_SECONDS: Final = 0.05
WAITING_LIMIT: Final = 8 * 1024 * 1024  # bytes of senders that cannot wait, while the agent takes nothing
STREAM_LIMIT: Final = 2 * BATCH_BYTES  # one batch is gathered while another is on its way
_NETWORK: Final = re.compile(r"(udp|tcp)://(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z.-]+)):(\d{1,5})")
_ANY_IPV4: Final = int(ipaddress.ip_address("::ffff:0.0.0.0"))
_HOW: Final = "write udp://HOST:PORT, tcp://HOST:PORT or unix:PATH, HOST being an address of this machine"


class Listener:
    """Two threads: one receives, one hands on. `read_until` (seconds UTC): all that came before it is in."""

    def __init__(self, where: str, receiver: Receiver, handing: Handing, clock: Clock, name: str) -> None:
        self.where = where
        self._receiver = receiver
        self._handing = handing
        self._clock = clock
        self._log = structlog.get_logger("listen")
        self._stop = threading.Event()
        self._busy: tuple[float, float] | None = None  # since when there was always more, by both clocks
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name=f"listen:{name}", daemon=True)

    @property
    def read_until(self) -> float:
        """The moment up to which everything that came was accepted by the agent."""
        return self._handing.read_until

    @property
    def state(self) -> str:
        """In words, for a status page."""
        said = self._trouble or self._handing.trouble or f"listening on {self.where}"
        lost = self._handing.overflowed
        return f"{said}; {lost} lines came when there was no room and are lost" if lost else said

    def start(self) -> None:
        """Begin to receive and to hand on."""
        self._handing.start()
        self._thread.start()

    def stop(self) -> None:
        """Receive no more; what was received is handed on first, for some seconds at most."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)
        self._receiver.close()
        self._handing.finish()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._turn(TURN_SECONDS)
        for _ in range(SWEEP_TURNS):
            if self._turn(SWEEP_SECONDS):
                return

    def _turn(self, seconds: float) -> bool:
        try:
            now = self._clock.now()
            drained = self._receiver.turn(now, seconds)
        except (CommonGroundError, OSError) as error:
            words = str(error) if isinstance(error, CommonGroundError) else error.strerror
            self._fail(f"cannot be read: {words or 'unreadable'}")
        except Exception as error:  # noqa: BLE001 - a thread that died in silence would hold up every lesson
            report(self._log, error)
            self._fail(broken(error))
        else:
            self._trouble = ""
            self._note(now, drained=drained)
            return drained
        return False

    def _note(self, now: float, *, drained: bool) -> None:
        """Who never rests, or knocks without end, must not hold up the lessons that others saw for ever."""
        if drained:
            self._busy = None
            self._handing.heard(now)
            return
        if self._busy is None or self._handing.trouble:  # nothing is read while nothing is handed on
            self._busy = time.monotonic(), now
        began, then = self._busy
        if time.monotonic() - began >= HELD_UP_SECONDS:
            self._busy = time.monotonic(), now
            self._handing.heard(then)

    def _fail(self, why: str) -> None:
        self._trouble = why
        with suppress(CommonGroundError):  # nothing comes from it: lessons that others saw must not wait
            self._handing.heard(self._clock.now())
        self._stop.wait(RETRY_SECONDS)


def listens(source: SourceSettings, folder: AgentFolder) -> bool:
    """Whether a source is listened to, not followed: an address, or a path at which there is a named pipe."""
    if source.path is None:
        return source.listen is not None
    try:
        return stat.S_ISFIFO(folder.resolve(source.path).stat().st_mode)
    except OSError:
        return False


def open_listener(
    source: SourceSettings,
    folder: AgentFolder,
    parse: Parse,
    collector: Collector,
    spool: Spool,
    clock: Clock,
    agent_time: Callable[[], int | None] | None = None,
) -> Listener:
    """A listener that has its address already; `spool` is one whose source cannot be read again.

    Raises SettingsError for an address that is none, or none for this kind, and BusyError for a taken one.
    """
    kind = KINDS.get(source.kind)
    if kind is None:
        known = ", ".join(sorted(KINDS))
        raise SettingsError(f"source `{source.id}`: cannot listen to `{source.kind}`; known: {known}")
    where = source.listen or ""
    make: Callable[[], Framing] = FrameStream if kind.framed else SyslogStream
    datagrams = where.startswith("udp:")
    if kind.framed and (datagrams or source.path is not None):
        raise SettingsError(
            f"source `{source.id}`: `{source.kind}` comes by a connection: give `listen` as unix: or tcp://"
        )
    limit = WAITING_LIMIT if datagrams or source.path is not None else STREAM_LIMIT
    allowed = networks(source.senders)
    handing = Handing(parse, collector, spool, clock, source.id, limit, agent_time)
    receiver: Receiver
    if source.path is not None:
        path = folder.resolve(source.path)
        where = f"the pipe {path}"
        receiver = _pipe(path, make, handing)
    elif where.startswith("unix:"):
        path = folder.resolve(where.removeprefix("unix:"))
        receiver = Connections(_unix_socket(path), make, handing, path)
    else:
        bound = _network_socket(where)
        name, port = bound.getsockname()[:2]
        scheme = "udp" if datagrams else "tcp"
        where = f"{scheme}://[{name}]:{port}" if ":" in name else f"{scheme}://{name}:{port}"
        if datagrams:
            receiver = Datagrams(bound, handing, allowed)
        else:
            receiver = Connections(bound, make, handing, allowed=allowed)
    return Listener(where, receiver, handing, clock, source.id)


def _pipe(path: Path, make: Callable[[], Framing], handing: Handing) -> Pipe:
    try:
        return Pipe(path, make, handing)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read ({error.strerror}): make a pipe there with `mkfifo`"
        ) from None


def _network_socket(where: str) -> socket.socket:
    """A bound socket; port 0 is a free one."""
    scheme, host, port = _parse(where)
    kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
    bound = socket.socket(socket.AF_INET6 if host.version == 6 else socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((str(host), port))
        if kind == socket.SOCK_STREAM:
            bound.listen()
    except OSError as error:
        bound.close()
        raise _unusable(where, error) from None
    return bound


def _parse(where: str) -> tuple[str, ipaddress.IPv4Address | ipaddress.IPv6Address, int]:
    match = _NETWORK.fullmatch(where)
    if match is None or int(match[4]) > 65535:
        raise SettingsError(f"`{where[:100]}` is no address to listen at: {_HOW}")
    try:
        host = ipaddress.ip_address((match[2] or match[3]).replace("localhost", "127.0.0.1"))
    except ValueError:
        raise SettingsError(f"`{where[:100]}` names no address of this machine: {_HOW}") from None
    if host.is_unspecified or int(host) == _ANY_IPV4:
        raise SettingsError(
            f"`{where}` would listen in every network of this machine: name the address that the sender calls"
        )
    return match[1], host, int(match[4])


def _unusable(where: str, error: OSError) -> CommonGroundError:
    if error.errno == errno.EADDRINUSE:
        return BusyError(f"{where} is taken: stop what listens there, or choose another port")
    return SettingsError(
        f"cannot listen at {where} ({error.strerror or error}):"
        " use an address of this machine and a port from 1024"
    )


def _unix_socket(path: Path) -> socket.socket:
    """One that its owner and group may connect to; what a dead process left there is replaced."""
    where = f"unix:{path}"
    if len(os.fsencode(path)) > 100:
        raise SettingsError(f"{where} is too long a path for a socket: choose one of at most 100 bytes")
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists():
            _remove_dead(path, where)
        bound.bind(str(path))
        path.chmod(0o660)
        bound.listen()
    except OSError as error:
        bound.close()
        raise _unusable(where, error) from None
    except CommonGroundError:
        bound.close()
        raise
    return bound


def _remove_dead(path: Path, where: str) -> None:
    if not path.is_socket():
        raise SettingsError(f"{path} is no socket: choose another path, or move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise BusyError(f"{where} is taken: stop what listens there, or choose another path")
