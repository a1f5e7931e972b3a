"""Real resolvers and a real proxy on loopback, each writing its logs into a folder of the test's."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.edge_agent.resolver import ask

PATIENCE = 30.0  # seconds until a program must answer


def program(name: str) -> str | None:
    """Where a program is, also where only the administrator's path leads."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/lib/squid")


def needs(name: str) -> pytest.MarkDecorator:
    """Skips a test, by name, where a program is missing."""
    return pytest.mark.skipif(program(name) is None, reason=f"{name} is not installed here")


@contextmanager
def unbound(folder: Path, *options: str) -> Iterator[tuple[int, Path]]:
    """Unbound that answers every name; its port and its log."""
    port, log, settings = _free_port(), folder / "unbound.log", folder / "unbound.conf"
    fixed = (
        f"interface: 127.0.0.1@{port}",
        "access-control: 127.0.0.0/8 allow",
        'chroot: ""',
        'username: ""',
        'pidfile: ""',
        f'directory: "{folder}"',
        f'logfile: "{log}"',
        "use-syslog: no",
        "log-queries: yes",
        'module-config: "iterator"',
        'local-zone: "." redirect',
        'local-data: ". 60 IN A 192.0.2.7"',
    )
    lines = ["server:", *(f"  {option}" for option in (*fixed, *options))]
    settings.write_text("\n".join([*lines, "remote-control:", "  control-enable: no"]) + "\n")
    with _running([str(program("unbound")), "-d", "-c", str(settings)], lambda: _answers(port)):
        yield port, log


@contextmanager
def named(folder: Path, channels: dict[str, str], *, zone: str = "UTC", view: str = "") -> Iterator[int]:
    """BIND that answers every name, its queries logged to a file of each channel; its port."""
    port, settings = _free_port(), folder / "named.conf"
    (folder / "root.zone").write_text(
        "$TTL 60\n@ SOA . . 1 60 60 60 60\n@ NS localhost.\nlocalhost. A 127.0.0.1\n* A 192.0.2.7\n"
    )
    root = 'zone "." { type primary; file "root.zone"; check-names ignore; };'
    files = (
        f'channel {name} {{ file "{folder / name}"; severity info; {options} }};'
        for name, options in channels.items()
    )
    settings.write_text(
        f'options {{ directory "{folder}"; listen-on port {port} {{ 127.0.0.1; }};\n'
        "listen-on-v6 { none; };\n"
        "pid-file none; session-keyfile none; querylog yes; dnssec-validation no; empty-zones-enable no;\n"
        f'managed-keys-directory "{folder}"; }};\ncontrols {{ }};\n'
        f"logging {{ {' '.join(files)} category queries {{ {'; '.join(channels)}; }}; }};\n"
        + (f'view "{view}" {{ match-clients {{ any; }}; {root} }};\n' if view else root + "\n")
    )
    command = [str(program("named")), "-f", "-n", "1", "-c", str(settings)]
    with _running(command, lambda: _answers(port), zone):
        yield port


@contextmanager
def squid(hosts: str, *access: str) -> Iterator[tuple[int, Path]]:
    """Squid as a forward proxy that knows `hosts` (lines of a hosts file); its port, and its folder of logs.

    `access` are lines of its settings: which log in which format, and what is denied.
    """
    with tempfile.TemporaryDirectory(prefix="squid-") as name:
        folder, port = Path(name), _free_port()
        folder.chmod(0o777)  # Squid gives up root before it writes
        (folder / "hosts").write_text(hosts)
        (folder / "hosts").chmod(0o644)  # an agent that ran in this process lets nobody else read
        lines = (
            f"http_port 127.0.0.1:{port}",
            f"hosts_file {folder}/hosts",
            f"cache_log {folder}/cache.log",
            *(line.format(folder=folder) for line in access),
            "http_access allow all",
            "cache deny all",
            "cache_mem 8 MB",
            "pid_filename none",
            "coredump_dir none",
            "pinger_enable off",
            "netdb_filename none",
            "shutdown_lifetime 0 seconds",
            "visible_hostname proxy.example",
        )
        (folder / "squid.conf").write_text("\n".join(lines) + "\n")
        command = [str(program("squid")), "-N", "-f", str(folder / "squid.conf")]
        with _running(command, lambda: _accepts(port), interrupt=True):
            yield port, folder


@contextmanager
def rsyslogd(folder: Path, forward: str, *more: str) -> Iterator[Path]:
    """rsyslog that passes everything on by the action `forward`; the socket that programs log into."""
    entry, settings = folder / "log.sock", folder / "rsyslog.conf"
    lines = (
        f'global(workDirectory="{folder}")',
        'module(load="imuxsock" SysSock.Use="off")',
        f'input(type="imuxsock" Socket="{entry}" RateLimit.Interval="0")',
        *more,
        forward,
    )
    settings.write_text("\n".join(lines) + "\n")
    command = [str(program("rsyslogd")), "-n", "-i", "NONE", "-f", str(settings)]
    with _running(command, entry.exists):
        yield entry


@contextmanager
def _running(
    command: list[str], ready: Callable[[], bool], zone: str = "UTC", *, interrupt: bool = False
) -> Iterator[None]:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "TZ": zone}
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            try:
                process.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                assert time.monotonic() < deadline, f"{command[0]} does not answer"
            else:
                assert process.stderr is not None
                raise AssertionError(f"{command[0]} ended: {process.stderr.read().decode()}")
        yield
    finally:
        if interrupt:
            process.send_signal(signal.SIGINT)
        else:
            process.terminate()
        process.communicate(timeout=PATIENCE)


def _answers(port: int) -> bool:
    try:
        ask(port, "127.0.0.1", "up.invalid", timeout=0.1)
    except OSError:
        return False
    return True


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    """A port that nobody uses now, neither by UDP nor by TCP."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            port = int(tcp.getsockname()[1])
            with suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port
