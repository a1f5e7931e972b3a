"""What a check gathers of real files, ports and folders of a school."""

import grp
import gzip
import json
import os
import random
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edge_agent.check.all import findings
from edge_agent.check.findings import Finding
from edge_agent.check.gather import gather
from edge_agent.check.retention import log_facts
from edge_agent.check.rights import advice, reading_group
from edge_agent.commands.common import require_own
from edge_agent.paths import AgentFolder
from edge_agent.sources.kinds import KINDS
from edge_agent.store.schema import MIGRATIONS
from shared.errors import SettingsError
from shared.link import keys
from shared.storage import Writer
from tests.edge_agent.identity.test_school_days import ZONE
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

BELLS = [("1", "Mon Tue Wed Thu Fri", "08:00", "08:45"), ("2", "Mon Tue Wed Thu Fri", "09:00", "09:45")]
NOON = int(datetime(2026, 9, 14, 12, tzinfo=ZONE).timestamp())
PEOPLE = learners(12)
DNS = '[[sources]]\nkind = "dnsmasq"\nid = "dns"\npath = "input/dns.log"\n'
APPS = ("padlet.com", "kahoot.it", "app.bookcreator.com", "unheard-of.example")


PLAIN = sorted(name for name, row in KINDS.items() if not row.framed and not row.mapped)


def stamp(moment: int) -> str:
    return datetime.fromtimestamp(moment, ZONE).strftime("%b %d %H:%M:%S")


def lease(moment: int, number: int) -> str:
    return f"{stamp(moment)} dnsmasq-dhcp[1]: DHCPACK(eth0) 10.0.0.{number} {PEOPLE[number].hardware} iPad\n"


def query(moment: int, number: int, name: str = "padlet.com") -> str:
    return f"{stamp(moment)} dnsmasq[1]: query[A] {name} from 10.0.0.{number}\n"


def morning(count: int = 12, shift: int = 0, asking: int = 12) -> str:
    """Leases in the first lesson, then look-ups in the second; `shift` in seconds."""
    begin = NOON - 4 * 3600 + shift
    lines = [lease(begin + number, number) for number in range(count)]
    for at in range(3600, 3600 + 45 * 60, 60):
        lines += [query(begin + at, number, APPS[at // 60 % 4]) for number in range(asking)]
    return "".join(lines)


@dataclass
class School:
    """A folder whose clock stands at noon, and the machine's root beside it."""

    folder: AgentFolder
    system: Path

    @property
    def log(self) -> Path:
        return self.folder.root / "input" / "dns.log"

    def settings(self, sources: str, extra: str = "") -> None:
        (self.folder.root / "clock.json").write_text(
            json.dumps({"simulated": float(NOON), "real": 0.0, "rate": 0.0})
        )
        self.folder.settings.write_text(
            f'school = "T"\ntimezone = "{ZONE.key}"\n{extra}\n[clock]\nfile = "clock.json"\n{sources}'
        )

    def write(self, text: str, path: Path | None = None, written: int = NOON - 8150) -> Path:
        target = path or self.log
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(0o640)
        os.utime(target, (written, written))
        return target

    def found(self, **options: Any) -> dict[str, Finding]:
        facts = gather(self.folder, system=self.system, **options)
        return {finding.id: finding for finding in findings(facts)}


@pytest.fixture
def school(tmp_path: Path) -> School:
    spec = SchoolSpec([ClassSpec("c1", "t1", PEOPLE, "1,2"), ClassSpec("c2", "t2", PEOPLE[:0], "")], BELLS)
    made = School(make_school(tmp_path / "agent", spec), tmp_path / "system")
    made.settings(DNS)
    made.write(morning())
    return made


def test_a_school_in_order_has_every_device_matched_and_every_source_well(school: School) -> None:
    found = school.found()
    assert found["devices.matched"].figures == {"matched": 12, "devices": 12, "percent": 100.0}
    assert {name: one.level for name, one in found.items() if name.startswith("source.")} == {
        "source.dns.readable": "ok",
        "source.dns.fresh": "ok",
        "source.dns.clock": "ok",
        "source.dns.lines": "ok",
        "source.dns.retention": "ok",
        "source.dns.rights": "ok",
    }
    assert found["catalogue.coverage"].figures["percent"] == pytest.approx(75, abs=2)
    assert found["classes.learners"].examples == ("c2",)
    assert found["time.zone"].level == "ok"


def test_a_lease_that_was_told_in_a_rotated_file_explains_an_address_of_today(school: School) -> None:
    lines = morning().splitlines(keepends=True)
    school.write("".join(lines[12:]))
    assert school.found()["devices.no_lease"].figures["devices"] == 12
    packed = school.log.with_name("dns.log.1.gz")
    packed.write_bytes(gzip.compress("".join(lines[:12]).encode()))
    packed.chmod(0o640)
    assert school.found()["devices.no_lease"].figures["devices"] == 0


def test_only_the_newest_lines_are_sampled_and_leases_further_back(school: School) -> None:
    found = school.found(limit=8 * 1024)
    assert int(found["source.dns.lines"].figures["lines"]) < 200
    assert found["devices.matched"].figures["percent"] == 100.0


def test_devices_that_got_an_address_and_ask_nobody_here_are_counted(school: School) -> None:
    school.write(morning(asking=4))
    assert school.found()["devices.bypass"].figures == {"devices": 8}


def test_bells_and_use_that_do_not_meet_are_a_fault_of_time(school: School) -> None:
    school.write(morning(shift=-6 * 3600), written=NOON - 9 * 3600)
    found = school.found()
    assert found["time.zone"].level == "fix"
    assert found["time.zone"].figures["shift_hours"] == pytest.approx(6, abs=1)


def test_a_log_in_another_zone_shows_against_the_machines_clock(school: School) -> None:
    school.write(morning(shift=2 * 3600 + 6 * 3600 - 4 * 3600 - 60 * 16))
    finding = school.found()["source.dns.clock"]
    assert finding.level == "fix"
    assert "TZ=" in finding.do


def test_a_log_that_is_no_log_is_said_to_be_of_another_kind(school: School) -> None:
    school.log.write_bytes(os.urandom(20_000) + b"\n" + b"x" * 100_000 + b"\n" + b"\0\n" * 2000)
    found = school.found()
    assert found["source.dns.fresh"].level == "fix"
    assert found["source.dns.readable"].level == "ok"


@pytest.mark.parametrize("kind", ["missing", "folder of nothing", "unknown mapping"])
def test_what_cannot_be_read_is_one_finding_and_hides_no_other(school: School, kind: str) -> None:
    broken = {
        "missing": 'kind = "unbound"\npath = "input/none.log"\n',
        "folder of nothing": 'kind = "bind"\npath = "/dev/null"\n',
        "unknown mapping": 'kind = "events"\npath = "input/dns.log"\nmapping = "nothing-such.toml"\n',
    }[kind]
    school.settings(f'{DNS}[[sources]]\nid = "odd"\n{broken}')
    found = school.found()
    assert (found["source.odd.readable"].level, found["source.dns.readable"].level) == ("fix", "ok")
    assert found["source.odd.readable"].do
    assert found["devices.matched"].figures["matched"] == 12


def test_a_school_without_its_files_is_told_which_and_its_sources_are_looked_at_all_the_same(
    school: School,
) -> None:
    (school.folder.root / "input" / "bells.csv").unlink()
    found = school.found()
    assert "bells.csv" in found["identity.files"].what
    assert found["source.dns.retention"].level == "ok"
    assert "source.dns.fresh" not in found, "nobody looked for its newest line"


def test_what_may_not_be_read_is_said_with_the_group_that_may(tmp_path: Path) -> None:
    log = tmp_path / "pihole.log"
    assert "pihole/pihole.log" in advice(log, "pihole")
    log.touch()
    group = next(
        one for one in grp.getgrall() if one.gr_gid and (os.geteuid() == 0 or one.gr_gid == os.getgid())
    )
    os.chown(log, -1, group.gr_gid)
    log.chmod(0o640)
    assert reading_group(log) == group.gr_name
    assert f"usermod -aG {group.gr_name} commonground" in advice(log, "pihole")
    for mode in (0o600, 0o644):
        log.chmod(mode)
        assert reading_group(log) == ""
    assert "setfacl" in advice(log, "pihole")


def test_pi_holes_own_rotation_is_found_and_named(school: School) -> None:
    rules = school.system / "etc" / "pihole" / "logrotate"
    rules.parent.mkdir(parents=True)
    rules.write_text(LOGROTATE.format(log=school.log, rules="daily\n copytruncate\n rotate 5\n"))
    found = school.found()["source.dns.retention"]
    assert (found.level, found.figures["rotation_days"]) == ("look", 6)
    assert f"In {rules}, among the rules" in found.do


LOGROTATE = "{log} {{\n    # weekly, as it came\n    {rules}\n}}\n"


@pytest.mark.parametrize(
    ("rules", "level", "days"),
    [
        ("daily\n rotate 1\n", "ok", 2),
        ("weekly\n rotate 4\n", "fix", 35),
        ("daily\n rotate 30\n maxage 2\n", "look", 3),
        ("monthly\n rotate 12\n", "fix", 403),
    ],
)
def test_what_logrotate_is_set_to_keep_is_said(school: School, rules: str, level: str, days: int) -> None:
    school.write(LOGROTATE.format(log=school.log, rules=rules), school.system / "etc/logrotate.d/dns")
    finding = school.found()["source.dns.retention"]
    assert (finding.level, finding.figures["rotation_days"]) == (level, days)


def test_what_a_block_does_not_say_comes_from_the_main_file(school: School) -> None:
    school.write(
        "# all\nweekly\nrotate 9\n/var/log/wtmp {\n monthly\n}\n", school.system / "etc/logrotate.conf"
    )
    school.write(f"{school.log.parent}/*.log {{\n rotate 2\n}}\n", school.system / "etc/logrotate.d/dns")
    assert school.found()["source.dns.retention"].figures["rotation_days"] == 21


@pytest.mark.parametrize("text", ["\n" * 900_000, "{" * 900_000, "querylog:\n" * 90_000, " " * 900_000])
def test_settings_of_other_programs_may_be_anything(school: School, text: str) -> None:
    for name in ("logrotate.d/dns", "logrotate.conf", "pihole/pihole.toml", "pihole/pihole-FTL.conf"):
        school.write(text, school.system / "etc" / name)
    school.write(text, school.log.parent / "AdGuardHome.yaml")
    for kind in ("pihole", "adguard"):
        school.settings(DNS.replace("dnsmasq", kind))
        assert school.found()["source.dns.readable"].level == "ok"


@pytest.mark.parametrize(
    "kind", sorted(name for name, row in KINDS.items() if not row.framed and not row.mapped)
)
def test_rubbish_of_every_kind_is_a_finding_and_no_fault_of_the_check(school: School, kind: str) -> None:
    rubbish = random.Random(7).randbytes(30_000)
    school.log.write_bytes(rubbish + b"\n{\n" + b"a,b\n" * 100)
    school.log.with_name("dns.log.1.gz").write_bytes(gzip.compress(rubbish)[:9000])
    school.settings(DNS.replace("dnsmasq", kind))
    found = school.found()
    assert found["source.dns.readable"].level == "ok"
    assert found["source.dns.fresh"].level == "fix"


def test_days_that_lie_in_rotated_files_are_counted_from_the_oldest_line(school: School) -> None:
    school.write(query(NOON - 45 * 86400, 1), school.log.with_name("dns.log.7"))
    finding = school.found()["source.dns.retention"]
    assert (finding.level, finding.figures["days"], finding.figures["files"]) == ("fix", 45.0, 2)
    assert "maxage 2" in finding.do


@pytest.mark.parametrize(
    ("name", "text", "called", "days"),
    [
        ("pihole-FTL.conf", "# own\nMAXDBDAYS=90\n", "MAXDBDAYS", 90),
        ("pihole-FTL.conf", "BLOCKING=true\n", "MAXDBDAYS", 365),
        ("pihole.toml", "[database]\nmaxDBdays = 7\n", "maxDBdays", 7),
        ("pihole.toml", "[dns]\n", "maxDBdays", 91),
    ],
)
def test_pi_holes_own_database_counts_whatever_becomes_of_its_log(
    school: School, name: str, text: str, called: str, days: int
) -> None:
    school.settings('[[sources]]\nkind = "pihole"\nid = "dns"\npath = "input/dns.log"\n')
    school.write(text, school.system / "etc/pihole" / name)
    finding = school.found()["source.dns.retention"]
    assert finding.figures[called] == days
    assert finding.level == ("fix" if days > 30 else "look")
    assert "2" in finding.do


@pytest.mark.parametrize(("interval", "level"), [("24h", "ok"), ("2160h", "fix"), ("168h0m0s", "look")])
def test_adguards_setting_is_read_where_it_lies(school: School, interval: str, level: str) -> None:
    work = school.folder.root / "adguard"
    line = {"T": "2026-09-14T08:10:00+02:00", "QH": "padlet.com", "QT": "A", "QC": "IN", "IP": "10.0.0.1"}
    path = school.write(json.dumps(line) + "\n", work / "data" / "querylog.json")
    school.write(
        f"dns:\n  port: 53\nquerylog:\n  enabled: true\n  interval: {interval}\n", work / "AdGuardHome.yaml"
    )
    school.settings(f'[[sources]]\nkind = "adguard"\nid = "dns"\npath = "{path}"\n')
    assert school.found()["source.dns.retention"].level == level


def test_a_log_that_everybody_can_read_is_a_fault(school: School) -> None:
    school.log.chmod(0o644)
    assert school.found()["source.dns.rights"].level == "fix"


def test_secrets_that_others_can_reach_are_named(school: School) -> None:
    assert school.found()["secrets.modes"].level == "ok"
    keys.load_or_create(school.folder.secrets, "agent")
    (school.folder.secrets / "xapi_password").chmod(0o644)
    finding = school.found()["secrets.modes"]
    assert "secrets/xapi_password" in finding.what
    assert "chmod" in finding.do


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_a_port_that_is_taken_is_found_before_anything_runs_and_a_free_one_is_let_go(
    school: School, scheme: str
) -> None:
    kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if scheme == "tcp":
            other.listen()
        port = other.getsockname()[1]
        school.settings(
            f'[[sources]]\nkind = "dnsmasq"\nid = "dns"\nlisten = "{scheme}://127.0.0.1:{port}"\n'
        )
        found = school.found()
        assert found["source.dns.readable"].level == "fix"
        assert found["source.dns.leases"].level == "look"
    assert school.found()["source.dns.readable"].level == "ok"
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", port))


@pytest.mark.parametrize(
    ("said", "is_open"),
    [
        ('listen = "udp://192.0.2.1:5514"', True),
        ('listen = "tcp://[2001:db8::1]:5514"', True),
        ('listen = "udp://192.0.2.1:5514"\nfrom = ["192.0.2.53"]', False),
        ('listen = "udp://127.0.0.1:0"', False),
        ('listen = "tcp://[::1]:0"', False),
        ('listen = "tcp://localhost:0"', False),
        ('listen = "unix:dns.sock"', False),
    ],
)
def test_a_listener_that_everybody_in_a_network_may_send_to_is_said(
    school: School, said: str, is_open: bool
) -> None:
    school.settings(f'[[sources]]\nkind = "dnsmasq"\nid = "dns"\n{said}\n')
    assert ("source.dns.senders" in school.found()) is is_open


def test_an_address_of_another_machine_cannot_be_listened_at(school: School) -> None:
    school.settings('[[sources]]\nkind = "dnsmasq"\nid = "dns"\nlisten = "udp://192.0.2.1:5514"\n')
    assert "no address of this machine" in school.found()["source.dns.readable"].what


def test_a_pipe_is_not_opened(school: School) -> None:
    os.mkfifo(school.folder.root / "input" / "dns.pipe")
    school.settings('[[sources]]\nkind = "dnsmasq"\nid = "dns"\npath = "input/dns.pipe"\n')
    assert school.found()["source.dns.readable"].level == "ok"


def test_files_of_addresses_are_learnt_and_one_that_is_missing_hides_no_other(school: School) -> None:
    school.write("".join(line for line in morning().splitlines(keepends=True) if "DHCPACK" not in line))
    owners = "".join(f"1900000000 {p.hardware} 10.0.0.{n} iPad *\n" for n, p in enumerate(PEOPLE))
    school.write(owners, school.folder.root / "input" / "leases")
    files = "".join(
        f'[[addresses]]\nkind = "dnsmasq"\npath = "input/{name}"\n' for name in ("none", "leases")
    )
    school.settings(DNS + files)
    found = school.found()
    assert (found["addresses.input/none"].level, found["addresses.input/leases"].level) == ("fix", "ok")
    assert found["devices.matched"].figures["matched"] == 12


def test_what_the_newest_lessons_say_of_bypassing_comes_before_a_guess(school: School) -> None:
    writer = Writer(school.folder.database, MIGRATIONS)
    query = """INSERT INTO windows (class_code, start, ends, day, week, grade_band, devices, placed, thin,
        evidence_only, upto_batch, window, bypassed)
        VALUES ('c', 1, 2, '2026-09-14', '2026-W38', '6-8', 10, 0, 0, 0, 0, '{}', 30)"""
    writer.run(lambda own: own.execute(query))
    writer.close()
    assert school.found()["devices.bypass"].figures == {"devices": 30}


@pytest.mark.parametrize("name", ["AdGuardHome.yaml", "pihole.toml", "pihole-FTL.conf"])
def test_a_pipe_or_a_device_in_place_of_another_programs_settings_holds_up_no_check(
    tmp_path: Path, name: str
) -> None:
    log = tmp_path / "pihole.log"
    log.write_text("")
    os.mkfifo(tmp_path / name)
    found = log_facts(log, "adguard" if name.startswith("Ad") else "pihole", lambda _: None, tmp_path)
    assert found.files == 1
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    assert log_facts(log, "pihole", lambda _: None, tmp_path).files == 1


def test_a_spoilt_store_hides_no_finding_of_the_house(school: School) -> None:
    school.folder.database.write_bytes(random.Random(4).randbytes(8192))
    assert "disk.free" in {finding.id for finding in findings(gather(school.folder))}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_whoever_may_not_look_into_the_folder_is_told_as_whom_to_call(school: School) -> None:
    school.folder.secrets.chmod(0)
    try:
        with pytest.raises(SettingsError, match="say it again after `sudo -u"):
            require_own(school.folder)
    finally:
        school.folder.secrets.chmod(0o700)
    require_own(school.folder)
