"""What `agent profile` writes is what Apple's schema allows, and what real resolvers take and do."""

import plistlib
import re
import socket
import ssl
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edge_agent.setup import firewall_side, payloads, profile_readme, resolver_side, wishes
from edge_agent.setup.wishes import Cart, Wishes
from shared.errors import UsageError
from tests.edge_agent.resolver import ask, dnsmasq, needs_dnsmasq
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.edge_agent.setup.apple_schema import faults, needs
from tests.edge_agent.sources import programs
from tests.edge_agent.test_cli import agent, assert_refused

PLAIN = Wishes("Hillside", "0123456789abcdef")
NO_SUCH_NAME = 3


def certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """A self-signed certificate for these names, and its key."""
    key, pem = folder / "key.pem", folder / "cert.pem"
    subjects = ",".join(f"DNS:{name}" for name in names)
    subprocess.run(
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=School"
        f" -addext subjectAltName={subjects} -keyout {key} -out {pem}".split(),
        check=True,
        capture_output=True,
    )
    return key, pem


@pytest.fixture
def full(tmp_path: Path) -> Wishes:
    _, pem = certificate(tmp_path, "dns.school.example", "cart12.school.example")
    return wishes.checked(
        Wishes(
            "Hillside & Söhne",
            "0123456789abcdef",
            ssid="School",
            security="WPA2",
            password="open sesame",
            dns_name="dns.school.example",
            dns_addresses=("127.0.0.53", "fd00::53"),
            carts=(
                Cart("12", "cart12.school.example", "127.0.0.112"),
                Cart("B/3", "b3.school.example", "127.0.0.113"),
            ),
            authority=wishes.certificate(pem.read_bytes()),
        )
    )


def settings_of(profile: bytes, kind: str) -> dict[str, Any]:
    (found,) = [p for p in plistlib.loads(profile)["PayloadContent"] if p["PayloadType"] == kind]
    return dict(found)


def test_every_profile_is_as_apples_schema_has_it(full: Wishes) -> None:
    found = payloads.profiles(full)
    assert sorted(found) == [
        "1-restrictions.mobileconfig",
        "2-wifi.mobileconfig",
        "3-dns-cart-1-12.mobileconfig",
        "3-dns-cart-2-B_3.mobileconfig",
        "3-dns.mobileconfig",
    ]
    assert {name: faults(profile) for name, profile in found.items()} == {name: [] for name in found}


@pytest.mark.parametrize(
    ("key", "value"),
    [("DNSProtocol", "UDP"), ("ServerNames", "x"), ("ServerAddresses", "10.0.0.1"), ("ServerName", 1)],
)
def test_the_check_against_the_schema_finds_what_is_wrong(full: Wishes, key: str, value: object) -> None:
    profile = plistlib.loads(payloads.profiles(full)["3-dns.mobileconfig"])
    profile["PayloadContent"][0]["DNSSettings"][key] = value
    assert len(faults(plistlib.dumps(profile))) == 1
    del profile["PayloadContent"][0]["DNSSettings"]
    assert faults(plistlib.dumps(profile)) == ["com.apple.dnsSettings.managed: DNSSettings is missing"]


def test_the_page_beside_says_of_each_key_the_version_and_supervision_that_apples_schema_says(
    full: Wishes,
) -> None:
    found = payloads.profiles(full)
    assert needs(found["1-restrictions.mobileconfig"]) == {"allowCloudPrivateRelay": ("15.0", True)}
    assert needs(found["2-wifi.mobileconfig"])["DisableAssociationMACRandomization"] == ("14.0", False)
    page = profile_readme.readme(full, found)
    row = next(line for line in page.splitlines() if "1-restrictions" in line)
    assert "iPadOS 15" in row and "supervised" in row
    assert "iPadOS 14" in next(line for line in page.splitlines() if "2-wifi" in line)


def test_the_same_wishes_of_the_same_agent_give_the_same_bytes_and_another_agent_others(full: Wishes) -> None:
    assert payloads.profiles(full) == payloads.profiles(full)
    other = payloads.profiles(Wishes("Hillside", "fedcba9876543210"))
    own = payloads.profiles(PLAIN)
    uuids = {plistlib.loads(found["1-restrictions.mobileconfig"])["PayloadUUID"] for found in (own, other)}
    assert len(uuids) == 2


def test_a_carts_profile_takes_the_place_of_the_schools_and_has_its_own_name_and_address(
    full: Wishes,
) -> None:
    found = payloads.profiles(full)
    school, cart = (plistlib.loads(found[f"3-dns{name}.mobileconfig"]) for name in ("", "-cart-1-12"))
    assert school["PayloadIdentifier"] == cart["PayloadIdentifier"]
    assert school["PayloadUUID"] != cart["PayloadUUID"]
    dns = settings_of(found["3-dns-cart-1-12.mobileconfig"], "com.apple.dnsSettings.managed")
    assert dns["DNSSettings"] == {
        "DNSProtocol": "TLS",
        "ServerName": "cart12.school.example",
        "ServerAddresses": ["127.0.0.112"],
    }
    assert dns["ProhibitDisablement"] is True


def test_encrypted_dns_is_in_force_on_the_schools_network_and_nowhere_else(full: Wishes) -> None:
    rules = settings_of(payloads.profiles(full)["3-dns.mobileconfig"], "com.apple.dnsSettings.managed")
    assert rules["OnDemandRules"] == [
        {"Action": "Connect", "InterfaceTypeMatch": "WiFi", "SSIDMatch": ["School"]},
        {"Action": "Disconnect"},
    ]
    unnamed = Wishes("H", "0" * 16, dns_name="dns.school.example", dns_addresses=("10.1.0.53",))
    rules = settings_of(payloads.profiles(unnamed)["3-dns.mobileconfig"], "com.apple.dnsSettings.managed")
    assert rules["OnDemandRules"][0]["DNSServerAddressMatch"] == ["10.1.0.53"]


def test_no_password_is_written_unless_it_was_asked_for(full: Wishes) -> None:
    assert payloads.profiles(PLAIN).keys() == {"1-restrictions.mobileconfig"}
    without = Wishes("H", "0" * 16, ssid="School", security="WPA2")
    assert b"Password" not in payloads.profiles(without)["2-wifi.mobileconfig"]
    assert "in clear" in profile_readme.readme(full, payloads.profiles(full))


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wishes("S", "a", ssid="x" * 33), "--ssid"),
        (Wishes("S", "a", security="WPA2"), "--ssid"),
        (Wishes("S", "a", ssid="S", security="WEP2"), "--security"),
        (Wishes("S", "a", ssid="S", password="p"), "--security"),
        (Wishes("S", "a", dns_name="dns.school.example"), "--dns-address"),
        (Wishes("S", "a", dns_name="no name", dns_addresses=("10.0.0.1",)), "host name"),
        (Wishes("S", "a", dns_name="dns.school.example", dns_addresses=("10.0.0.1", "10.0.0.1")), "twice"),
        (Wishes("S", "a", dns_name="dns.school.example", dns_addresses=("::",)), "address"),
        (Wishes("S", "a", dns_name="dns.school.example", dns_addresses=("ten",)), "IP address"),
        (Wishes("S", "a", carts=(Cart("1", "c.school.example", "10.0.0.1"),)), "--dns-name"),
        (Wishes("S", "a", authority=b"x"), "--ca"),
    ],
)
def test_wishes_that_do_not_fit_together_are_refused_in_one_line(wanted: Wishes, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        wishes.checked(wanted)


def test_a_private_key_and_rubbish_are_no_certificate(tmp_path: Path) -> None:
    key, pem = certificate(tmp_path, "dns.school.example")
    der = wishes.certificate(pem.read_bytes())
    assert wishes.certificate(der) == der
    for data, says in (
        (key.read_bytes(), "private key"),
        (b"rubbish", "no certificate"),
        (pem.read_bytes() * 2, "several"),
    ):
        with pytest.raises(UsageError, match=says):
            wishes.certificate(data)


@needs_dnsmasq
def test_a_real_dnsmasq_takes_its_file_and_says_that_private_relays_names_are_not_there(
    tmp_path: Path,
) -> None:
    file = tmp_path / "commonground.conf"
    file.write_text(resolver_side.dnsmasq(by_syslog=True))
    program = programs.program("dnsmasq")
    tested = subprocess.run([str(program), "--test", f"--conf-file={file}"], capture_output=True, check=False)
    assert tested.returncode == 0, tested.stderr
    names = tmp_path / "names.conf"
    names.write_text(
        "".join(line for line in file.read_text().splitlines(True) if line.startswith("address"))
    )
    with dnsmasq(tmp_path / "log", f"--conf-file={names}") as port:
        for name in resolver_side.RELAY_NAMES:
            for kind in ("A", "AAAA"):
                assert answer_code(ask(port, "127.0.0.1", name, kind)) == NO_SUCH_NAME
        assert answer_code(ask(port, "127.0.0.1", "padlet.com")) == 0


PIHOLE = "log-queries=extra\nlog-dhcp\nlog-facility={log}\nlog-async\n"  # what Pi-hole sets by itself


@needs_dnsmasq
@pytest.mark.parametrize(
    ("own", "starts"),
    [
        (resolver_side.pihole(), True),
        (resolver_side.dnsmasq(by_syslog=False), True),
        (resolver_side.dnsmasq(by_syslog=True), False),
    ],
)
def test_what_a_pi_hole_is_given_leaves_it_able_to_start_beside_its_own_settings(
    tmp_path: Path, own: str, starts: bool
) -> None:
    (tmp_path / "01-pihole.conf").write_text(PIHOLE.format(log=tmp_path / "pihole.log"))
    (tmp_path / "commonground.conf").write_text(own)
    command = [str(programs.program("dnsmasq")), "--test", "--conf-file=/dev/null"]
    tested = subprocess.run([*command, f"--conf-dir={tmp_path},*.conf"], capture_output=True, check=False)
    assert (tested.returncode == 0) == starts, tested.stderr


def answer_code(answer: bytes) -> int:
    return answer[3] & 0xF


@programs.needs("unbound")
@programs.needs("unbound-checkconf")
def test_a_real_unbound_takes_its_file_and_answers_by_tls_under_each_name(
    tmp_path: Path, full: Wishes
) -> None:
    key, pem = certificate(tmp_path, "dns.school.example", "cart12.school.example", "b3.school.example")
    own = Wishes("H", "0" * 16, dns_name=full.dns_name, dns_addresses=("127.0.0.53",), carts=full.carts)
    plain, tls = programs._free_port(), programs._free_port()
    listening = resolver_side.Listening("tcp://127.0.0.1:9", str(key), str(pem), plain, tls)
    file = tmp_path / "commonground.conf"
    file.write_text(resolver_side.unbound(own, listening))
    checked = subprocess.run(
        [str(programs.program("unbound-checkconf")), str(file)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    with programs.unbound(tmp_path, f'include: "{file}"'):
        context = ssl.create_default_context(cafile=str(pem))
        for address, name in (("127.0.0.53", full.dns_name), ("127.0.0.112", "cart12.school.example")):
            for relay in resolver_side.RELAY_NAMES:
                assert answer_code(ask_by_tls(context, address, tls, name, relay)) == NO_SUCH_NAME
            assert answer_code(ask_by_tls(context, address, tls, name, "padlet.com")) == 0


def ask_by_tls(context: ssl.SSLContext, address: str, port: int, server: str, name: str) -> bytes:
    """One look-up by DNS over TLS (RFC 7858), the server's certificate checked for its name."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
    with (
        socket.create_connection((address, port), timeout=10) as line,
        context.wrap_socket(line, server_hostname=server) as secure,
        secure.makefile("rwb") as stream,
    ):
        stream.write(struct.pack(">H", len(query)) + query)
        stream.flush()
        (size,) = struct.unpack(">H", stream.read(2))
        return stream.read(size)


def test_the_request_to_the_firewall_names_the_resolver_the_hub_and_who_answers_elsewhere(
    full: Wishes,
) -> None:
    text = firewall_side.request(full, "tcp://hub.district.example:5710", "tcp://agent.school.example:5711")
    for words in ("127.0.0.53", "fd00::53", "hub.district.example:5710", "TCP 5711", "`dns.google`", "853"):
        assert words in text
    assert "`mask.icloud.com` and" in text and "- `mask" not in text


def test_the_command_writes_a_folder_that_names_every_file_and_keeps_a_password_to_its_owner(
    tmp_path: Path,
) -> None:
    folder = make_school(tmp_path / "school", SchoolSpec([ClassSpec("c1", "t1", learners(2))])).root
    secret = tmp_path / "password"
    secret.write_text("open sesame\n")
    out = tmp_path / "out"
    words = ["profile", str(folder), "--out", str(out), "--ssid", "School", "--security", "WPA3"]
    words += [
        "--wifi-password",
        str(secret),
        "--dns-name",
        "dns.school.example",
        "--dns-address",
        "10.1.0.53",
    ]
    done = agent(*words, "--cart", "12=cart12.school.example=10.1.0.112")
    assert done.returncode == 0, done.stderr
    page = (out / "README.md").read_text()
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} - {"README.md"}
    assert len(written) == 7 and all(f"`{name}`" in page for name in written)
    assert (out / "2-wifi.mobileconfig").stat().st_mode & 0o777 == 0o600
    assert 'server = "10.1.0.112"' in page
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert agent(*words, "--cart", "12=cart12.school.example=10.1.0.112").returncode == 0
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert_refused(agent("profile", str(folder), "--out", str(out), "--cart", "12"), 2, "ROOM=NAME=ADDRESS")
    assert "3-dns-cart-1-12.mobileconfig is of an earlier call" in agent(*words).stdout


def test_a_school_with_a_pi_hole_gets_its_file_and_is_told_of_no_profile_that_it_does_not_have(
    tmp_path: Path,
) -> None:
    source = '[[sources]]\nkind = "pihole"\nid = "resolver"\npath = "input/pihole.log"\n'
    spec = SchoolSpec([ClassSpec("c1", "t1", learners(2))], settings=source)
    folder, out = make_school(tmp_path / "school", spec).root, tmp_path / "out"
    assert agent("profile", str(folder), "--out", str(out)).returncode == 0
    assert sorted(path.name for path in (out / "resolver").iterdir()) == ["pihole.conf", "unbound.conf"]
    page = (out / "README.md").read_text()
    assert "`resolver/pihole.conf`" in page
    assert "3-dns" not in page
