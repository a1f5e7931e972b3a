"""A real dnsmasq on loopback, and look-ups from addresses of one's choice."""

import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BINARY = shutil.which("dnsmasq") or shutil.which("dnsmasq", path="/usr/sbin:/usr/local/sbin")
TYPES = {"A": 1, "AAAA": 28, "HTTPS": 65, "PTR": 12}

needs_dnsmasq = pytest.mark.skipif(BINARY is None, reason="dnsmasq is not installed here")


def free_port() -> int:
    """A UDP port that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def dnsmasq(log: Path, *options: str, zone: str = "UTC") -> Iterator[int]:
    """dnsmasq in time zone `zone`, answering every name, its queries logged to `log`; the port it has."""
    port = free_port()
    log.touch()
    log.chmod(0o666)  # dnsmasq gives up root before it writes
    command = [
        str(BINARY),
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        f"--port={port}",
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
        "--no-resolv",
        "--no-hosts",
        "--pid-file=",
        "--address=/#/192.0.2.7",
        "--log-queries",
        f"--log-facility={log}",
        *options,
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "TZ": zone})
    try:
        _wait_until_it_answers(process, port)
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=10)


def ask(port: int, source: str, name: str, kind: str = "A", timeout: float = 5.0) -> bytes:
    """One look-up from `source`; the answer's bytes."""
    return ask_raw(port, source, [label.encode() for label in name.split(".")], kind, timeout)


def ask_raw(port: int, source: str, labels: list[bytes], kind: str = "A", timeout: float = 5.0) -> bytes:
    """A look-up of any labels, also such as no honest program asks for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        client.bind((source, 0))
        client.sendto(_query(labels, TYPES[kind]), ("127.0.0.1", port))
        return client.recv(4096)


def _query(labels: list[bytes], kind: int) -> bytes:
    name = b"".join(bytes([len(label)]) + label for label in labels)
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + name + b"\0" + struct.pack(">HH", kind, 1)


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(100):
        try:
            ask(port, "127.0.0.1", "up.invalid", timeout=0.1)
        except OSError:
            if process.poll() is not None:
                assert process.stderr is not None
                raise AssertionError(f"dnsmasq ended: {process.stderr.read().decode()}") from None
        else:
            return
    raise AssertionError("dnsmasq did not answer within ten seconds")
