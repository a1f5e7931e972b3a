"""A command as a service of the machine: a systemd unit with hardening and ceilings, a launchd list; pure."""

import plistlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_UMASK: Final = 0o077
_FILES: Final = 4096


@dataclass(frozen=True, slots=True)
class Service:
    """What runs, on which folder, as whom. `memory_mib` is a ceiling, at which it is ended and started again.

    `runtime`: whether it gets /run/commonground for its sockets; `groups`: of whose files it reads more.
    """

    name: str
    about: str
    command: tuple[str, ...]
    folder: Path
    user: str
    memory_mib: int
    processors: int = 1
    runtime: bool = False
    groups: tuple[str, ...] = ()


def installed_command() -> tuple[str, ...]:
    """How this program is started by its full path: as it was installed, else by this Python."""
    beside = Path(sys.executable).parent / "commonground"
    found = str(beside) if beside.exists() else shutil.which("commonground")
    return (str(Path(found).absolute()),) if found else (sys.executable, "-m", "commonground")


def systemd(service: Service) -> str:
    """The unit's text, with how to install it."""
    lines = [
        f"# /etc/systemd/system/{service.name}.service",
        f"#   sudo useradd --system --home-dir {service.folder} --shell /usr/sbin/nologin {service.user}",
        f"#   sudo chown -R {service.user}: {service.folder}",
        f"#   sudo systemctl daemon-reload && sudo systemctl enable --now {service.name}",
        "[Unit]",
        f"Description={_escaped(service.about)}",
        "Documentation=man:systemd.service(5)",
        "Wants=network-online.target",
        "After=network-online.target time-sync.target",
        "",
        "[Service]",
        *_program(service),
        "",
        "# Ceilings",
        *_ceilings(service),
        "",
        "# What it may touch: its own folder, and of the rest of the machine only to read",
        *_reach(service),
        *_HARDENING,
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _program(service: Service) -> Iterator[str]:
    yield "Type=exec"
    yield f"ExecStart={' '.join(_word(word) for word in service.command)}"
    yield f"User={service.user}"
    if service.groups:
        yield f"SupplementaryGroups={' '.join(service.groups)}"
    yield "# A wrong call (exit 2) is not mended by another try; anything else is tried again."
    yield from ("Restart=on-failure", "RestartSec=15", "RestartPreventExitStatus=2", "TimeoutStopSec=30")


def _ceilings(service: Service) -> Iterator[str]:
    yield f"MemoryHigh={service.memory_mib * 3 // 4}M"
    yield f"MemoryMax={service.memory_mib}M"
    yield f"CPUQuota={service.processors * 100}%"
    yield from ("TasksMax=128", f"LimitNOFILE={_FILES}", "LimitCORE=0")


def _reach(service: Service) -> Iterator[str]:
    folder = service.folder
    at_home = folder.is_relative_to("/home") or folder.is_relative_to("/root")
    yield f"ReadWritePaths={_word(str(folder))}"
    yield f"WorkingDirectory={_escaped(str(folder))}"
    if service.runtime:
        yield from ("RuntimeDirectory=commonground", "RuntimeDirectoryMode=0750")
    yield "ProtectSystem=strict"
    yield f"ProtectHome={'read-only' if at_home else 'yes'}"
    yield "PrivateTmp=yes"
    yield f"UMask={_UMASK:04o}"


# Not MemoryDenyWriteExecute: numba, where it is installed, writes the machine code that it runs.
_HARDENING: Final = (
    "NoNewPrivileges=yes",
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectControlGroups=yes",
    "ProtectProc=invisible",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RemoveIPC=yes",
    "LockPersonality=yes",
    "KeyringMode=private",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged",
    "SystemCallErrorNumber=EPERM",
)


def launchd(service: Service) -> str:
    """The property list's text, for /Library/LaunchDaemons."""
    label = f"org.{service.name.replace('-', '.')}"
    limits = {"NumberOfFiles": _FILES, "Core": 0}
    return plistlib.dumps(
        {
            "Label": label,
            "ProgramArguments": list(service.command),
            "WorkingDirectory": str(service.folder),
            "UserName": service.user,
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 15,
            "ExitTimeOut": 30,
            "Umask": _UMASK,
            "ProcessType": "Background",
            "SoftResourceLimits": limits,
            "HardResourceLimits": limits | {"ResidentSetSize": service.memory_mib * 1024 * 1024},
            "StandardErrorPath": str(service.folder / "service.log"),
        }
    ).decode()


def _word(text: str) -> str:
    """One word of a command line of a unit."""
    escaped = _escaped(text).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{escaped}"' if any(letter in text for letter in " \t\"'\\;") else escaped


def _escaped(text: str) -> str:
    return text.replace("%", "%%").replace("\n", " ")
