"""Mosquitto and NATS JetStream as processes of their own, with TLS, their files on the disk of the run."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.processes import Process, free_ports, running, until

# Debian keeps Mosquitto's server where an ordinary user's PATH does not look.
_PLACES: Final = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker: its port on loopback, the certificate that it shows, what it calls its version."""

    port: int
    certificate: Path
    version: str
    process: Process


def find(program: str) -> str:
    """Where a program is. RuntimeError says what to install."""
    found = shutil.which(program) or shutil.which(program, path=_PLACES) or _beside_python(program)
    if found is None:
        raise RuntimeError(
            f"no `{program}` here: run scripts/system-packages bench, or make the environment anew"
        )
    return found


@contextmanager
def mosquitto(root: Path) -> Iterator[Broker]:
    """Mosquitto with persistence as Debian configures it, and no limit that would drop something."""
    certificate, key = _certificate(root)
    (port,) = free_ports(1)
    (root / "kept").mkdir()
    settings = root / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\ncertfile {certificate}\nkeyfile {key}\nallow_anonymous true\n"
        f"persistence true\npersistence_location {root}/kept/\nuser root\n"
        "max_inflight_messages 0\nmax_queued_messages 0\nmax_queued_bytes 0\n"
    )
    program = find("mosquitto")
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
    version = said.split("\n", 1)[0].removeprefix("mosquitto version ")
    with running([program, "-c", str(settings)], root / "mosquitto.log") as process:
        _listening(root / "mosquitto.log", "running", process)
        yield Broker(port, certificate, version, process)


@contextmanager
def nats(root: Path, *, always: bool) -> Iterator[Broker]:
    """NATS with JetStream on files: synced after each write (`always`), or each two minutes as by default."""
    certificate, key = _certificate(root)
    (port,) = free_ports(1)
    settings = root / "nats.conf"
    sync = "always" if always else "2m"
    settings.write_text(
        f'listen: "127.0.0.1:{port}"\n'
        f'tls {{ cert_file: "{certificate}", key_file: "{key}" }}\n'
        f'jetstream {{ store_dir: "{root}/kept", sync_interval: {sync} }}\n'
    )
    program = find("nats-server")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    with running([program, "-c", str(settings)], root / "nats.log") as process:
        _listening(root / "nats.log", "Server is ready", process)
        yield Broker(port, certificate, said.split()[-1].lstrip("v"), process)


def _listening(log: Path, word: str, process: Process) -> None:
    until(lambda: word in log.read_text(errors="replace"), "the broker", alive=[process])


def _certificate(root: Path) -> tuple[Path, Path]:
    """A certificate of its own for loopback, and its key."""
    certificate, key = root / "certificate.pem", root / "key.pem"
    words = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
        " -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(
        [find("openssl"), *words.split(), "-keyout", str(key), "-out", str(certificate)],
        capture_output=True,
        check=True,
    )
    return certificate, key


def _beside_python(program: str) -> str | None:
    path = Path(sys.executable).with_name(program)
    return str(path) if path.exists() else None
