"""`service` of agent and hub prints what starts that very folder, as it was installed."""

import grp
import os
import plistlib
import re
import subprocess
import sys
from pathlib import Path

from shared.service import installed_command
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.edge_agent.test_cli import agent, assert_refused

LOG = '[[sources]]\nkind = "pihole"\nid = "resolver"\npath = "/var/log/pihole/pihole.log"\n'


def test_the_agents_unit_starts_its_folder_and_may_read_the_log(tmp_path: Path) -> None:
    spec = SchoolSpec([ClassSpec("c1", "t1", learners(2))], settings=LOG)
    folder = make_school(tmp_path / "school", spec).root
    done = agent("service", str(folder), "--systemd")
    assert done.returncode == 0, done.stderr
    expected = " ".join((*installed_command(), "agent", "run", str(folder)))
    assert f"\nExecStart={expected}\n" in done.stdout
    assert "\nSupplementaryGroups=adm\n" in done.stdout and "\nRuntimeDirectory=commonground\n" in done.stdout
    assert agent("service", str(folder), "--launchd", "--out", str(tmp_path / "p")).returncode == 0
    assert plistlib.loads((tmp_path / "p").read_bytes())["ProgramArguments"][-1] == str(folder)
    assert_refused(agent("service", str(tmp_path)), 1, "run `init`")


def test_the_unit_is_in_the_group_that_may_read_the_log(tmp_path: Path) -> None:
    log = tmp_path / "pihole.log"
    log.touch()
    log.chmod(0o640)
    own = os.getgid()
    group = next(one for one in grp.getgrall() if one.gr_gid and (os.geteuid() == 0 or one.gr_gid == own))
    os.chown(log, -1, group.gr_gid)
    settings = LOG.replace("/var/log/pihole/pihole.log", str(log))
    spec = SchoolSpec([ClassSpec("c1", "t1", learners(2))], settings=settings)
    done = agent("service", str(make_school(tmp_path / "school", spec).root), "--systemd")
    assert f"\nSupplementaryGroups={group.gr_name}\n" in done.stdout


def test_the_hubs_unit_starts_its_folder(tmp_path: Path) -> None:
    hub = [sys.executable, "-m", "commonground", "hub"]
    folder = tmp_path / "hub"
    subprocess.run([*hub, "init", str(folder), "--district", "North"], check=True, capture_output=True)
    done = subprocess.run(
        [*hub, "service", str(folder), "--systemd"], check=True, capture_output=True, text=True
    )
    assert re.search(rf"^ExecStart=.* hub run {re.escape(str(folder))}$", done.stdout, re.MULTILINE)
    assert "hub of North" in done.stdout
