"""The unit is one that systemd takes, hardened by systemd's own measure; the property list is one."""

import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.service import Service, installed_command, launchd, systemd

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed here")
WELL_PROTECTED = 2.5  # of 10 that a unit without any hardening has


def service(folder: Path, **changes: object) -> Service:
    words = {
        "name": "commonground-agent",
        "about": "Common Ground: 100% of Hillside",
        "command": (sys.executable, "-m", "commonground", "agent", "run", str(folder)),
        "folder": folder,
        "user": "commonground",
        "memory_mib": 512,
        "runtime": True,
        "groups": ("adm",),
    }
    return Service(**(words | changes))  # type: ignore[arg-type] # each as the class has it


def values(unit: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE)


@needs_systemd
@pytest.mark.parametrize("name", ["plain", "with space", 'a"quote', "50%", "$HOME", "back\\slash"])
def test_systemd_takes_the_unit_whatever_the_folder_is_called(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    file = tmp_path / "commonground-agent.service"
    file.write_text(systemd(service(folder)))
    done = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = [line for line in done.stderr.splitlines() if "commonground" in line]
    assert done.returncode == 0 and said == [], done.stderr


@needs_systemd
def test_the_unit_is_well_protected_by_systemds_own_measure(tmp_path: Path) -> None:
    file = tmp_path / "commonground-agent.service"
    file.write_text(systemd(service(Path("/srv/commonground"))))
    done = subprocess.run(
        [str(ANALYZE), "security", "--offline=true", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found and float(found[1]) <= WELL_PROTECTED, done.stdout


def test_the_unit_has_ceilings_and_may_write_into_its_own_folder_alone() -> None:
    unit = systemd(service(Path("/srv/commonground")))
    assert values(unit, "MemoryMax") == ["512M"] and values(unit, "CPUQuota") == ["100%"]
    assert values(unit, "ReadWritePaths") == ["/srv/commonground"]
    assert values(unit, "ProtectSystem") == ["strict"] and values(unit, "ProtectHome") == ["yes"]
    assert values(unit, "RuntimeDirectory") == ["commonground"]
    assert values(unit, "SupplementaryGroups") == ["adm"]
    assert values(systemd(service(Path("/home", "it", "school"))), "ProtectHome") == ["read-only"]


def test_the_property_list_runs_the_same_and_is_started_again_after_a_failure() -> None:
    found = plistlib.loads(launchd(service(Path("/Users/Shared/a b"))).encode())
    assert found["Label"] == "org.commonground.agent"
    assert found["ProgramArguments"][-1] == "/Users/Shared/a b"
    assert found["KeepAlive"] == {"SuccessfulExit": False} and found["Umask"] == 0o077
    assert found["HardResourceLimits"]["ResidentSetSize"] == 512 * 1024 * 1024


def test_the_command_is_one_that_can_be_started() -> None:
    done = subprocess.run(
        [*installed_command(), "--help"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0 and "agent" in done.stdout
    assert Path(installed_command()[0]).is_absolute()
