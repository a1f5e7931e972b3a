"""Who had which address, and who was in which room: by the files that schools have already."""

from dataclasses import replace
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.identity.bells import Bell
from edge_agent.identity.dhcp_logs import read_dhcpd, read_kea, read_windows
from edge_agent.identity.directory import Directory
from edge_agent.identity.histories import HistoryFile
from edge_agent.identity.inventory import load_inventory
from edge_agent.identity.leases import Leases, plain_address
from edge_agent.identity.neighbours import neighbour_owners
from edge_agent.identity.places import access_point_name, load_access_points, read_associations
from edge_agent.identity.radius import read_detail
from edge_agent.identity.roster import Roster, SchoolClass
from edge_agent.identity.tables import Refused
from edge_agent.identity.timetable import Timetable
from edge_agent.identity.whereabouts import HISTORIES
from edge_agent.sources.facts import Lease, Located, Released, Whereabouts

ZURICH = ZoneInfo("Europe/Zurich")
ANNA, BEN = "a483e7000001", "a483e7000002"
EIGHT = 1_795_334_400  # Sunday 22 November 2026, 08:00 UTC

DHCPD = """\
# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;

lease 10.20.0.31 {
  starts 0 2026/11/22 08:00:00;
  ends 0 2026/11/22 08:10:00;
  cltt 0 2026/11/22 08:00:00;
  binding state active;
  next binding state free;
  hardware ethernet a4:83:e7:00:00:01;
  uid "\\001\\244\\203\\347\\000\\000\\001";
  client-hostname "Annas iPad; }";
}
lease 10.20.0.31 {
  starts 0 2026/11/22 08:00:00;
  ends 0 2026/11/22 08:10:00;
  tstp 0 2026/11/22 08:10:00;
  binding state free;
  hardware ethernet a4:83:e7:00:00:01;
}
lease 10.20.0.31 {
  starts epoch 1795335300; # Sun Nov 22 08:15:00 2026
  ends never;
  binding state active;
  hardware ethernet a4:83:e7:00:00:02;
}
"""
KEA = """\
address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
10.20.0.31,a4:83:e7:00:00:01,01:a4:83:e7:00:00:01,600,1795335000,1,0,0,annas-ipad,0,,0
10.20.0.31,a4:83:e7:00:00:01,01:a4:83:e7:00:00:01,600,1795335000,1,0,0,annas-ipad,2,,0
10.20.0.31,a4:83:e7:00:00:02,,600,1795335900,1,0,0,,0,,0
"""
WINDOWS = """\
\t\tMicrosoft DHCP Service Activity Log

Event ID  Meaning
00\tThe log was started.
10\tA new IP address was leased to a client.

ID,Date,Time,Description,IP Address,Host Name,MAC Address,User Name, TransactionID, QResult,Probationtime
00,11/22/26,08:55:00,Started,,,,,0,6,,,,,,,,,0
10,11/22/26,09:00:00,Assign,10.20.0.31,Annas-iPad.school.example,A483E7000001,,77,0,,,,,,,,,0
12,11/22/26,09:10:00,Release,10.20.0.31,Annas-iPad.school.example,A483E7000001,,78,0,,,,,,,,,0
10,11/22/26,09:15:00,Assign,10.20.0.31,,A483E7000002,,79,0,,,,,,,,,0
30,11/22/26,09:15:01,DNS Update Request,10.20.0.31,,,,0,6,,,,,,,,,0
"""
RADIUS = """\
Sun Nov 22 09:00:00 2026
\tAcct-Status-Type = Start
\tUser-Name = "anna.example"
\tCalling-Station-Id = "A4-83-E7-00-00-01"
\tCalled-Station-Id = "00-11-22-33-44-55:School"
\tFramed-IP-Address = 10.20.0.31
\tTimestamp = 1795334400

Sun Nov 22 09:10:00 2026
\tAcct-Status-Type = Stop
\tCalling-Station-Id = "A4-83-E7-00-00-01"
\tCalled-Station-Id = "00-11-22-33-44-55:School"
\tFramed-IP-Address = 10.20.0.31
\tTimestamp = 1795335000

"""


def told(facts: list[Whereabouts]) -> Leases:
    leases = Leases()
    for fact in facts:
        leases.learn(fact)
    return leases


@pytest.mark.parametrize(
    "facts",
    [
        list(read_dhcpd(DHCPD.splitlines(), ZURICH)),
        list(read_kea(KEA.splitlines(), ZURICH)),
        list(read_windows(WINDOWS.splitlines(), ZURICH)),
    ],
    ids=["dhcpd", "kea", "windows"],
)
def test_every_server_tells_the_same_story_of_an_address_that_changed_hands(
    facts: list[Whereabouts],
) -> None:
    leases = told(facts)
    assert leases.at("10.20.0.31", EIGHT - 1) is None
    assert leases.at("10.20.0.31", EIGHT) == ANNA
    assert leases.at("10.20.0.31", EIGHT + 599) == ANNA
    assert leases.at("10.20.0.31", EIGHT + 600) is None, "given back: nobody's, until it is given again"
    assert leases.at("10.20.0.31", EIGHT + 899) is None
    assert leases.at("10.20.0.31", EIGHT + 900) == BEN


def test_what_is_no_lease_is_passed_over() -> None:
    assert not list(read_dhcpd(["lease 10.0.0.1 {", "  binding state", "}", "} {", "lease"], ZURICH))
    assert not list(read_kea(["10.0.0.1,a4:83:e7:00:00:01", 'address,"x', "1,2,3"], ZURICH))
    assert not list(read_windows(["10,13/45/26,09:00:00,Assign,10.0.0.1,x,A483E7000001", "10,,"], ZURICH))


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.sampled_from(sorted(HISTORIES)), st.lists(st.text(max_size=80), max_size=12))
def test_no_file_stops_a_reader(kind: str, rubbish: list[str]) -> None:
    good = {"dhcpd": DHCPD, "kea": KEA, "windows": WINDOWS, "radius": RADIUS, "associations": ""}[kind]
    lines = good.splitlines()
    for i, line in enumerate(rubbish):
        lines.insert((i * 7) % (len(lines) + 1), line)
    for fact in HISTORIES[kind].read(lines, ZURICH):
        assert 0 <= fact.t < 1 << 32


def test_only_what_is_new_in_a_history_is_read_and_half_an_entry_waits(tmp_path: Path) -> None:
    path, leases = tmp_path / "dhcpd.leases", Leases()
    file = HistoryFile(path, HISTORIES["dhcpd"], ZURICH, leases.learn)
    cut = DHCPD.rindex("lease 10.20.0.31 {")
    path.write_text(DHCPD[: cut + 60])
    assert file.refresh(EIGHT) == 2
    path.write_text(DHCPD)
    assert file.refresh(EIGHT) == 1
    assert file.refresh(EIGHT) == 0
    assert leases.at("10.20.0.31", EIGHT + 900) == BEN
    fresh = tmp_path / "new"
    fresh.write_text(DHCPD)
    fresh.replace(path)
    assert file.refresh(EIGHT) == 3, "the server wrote it anew"
    path.unlink()
    assert file.refresh(EIGHT) == 0
    assert "cannot be read: No such file" in file.trouble


@pytest.mark.parametrize("end", ["\x0b", "\x1c", "\x85", "\u2028"])
def test_no_host_name_tells_a_lease_of_its_own(tmp_path: Path, end: str) -> None:
    path, told = tmp_path / "DhcpSrvLog-Sun.log", list[Whereabouts]()
    forged = f"x{end}10,11/22/26,09:00:01,Assign,10.20.0.99,y,{BEN.upper()}"
    path.write_text(f"10,11/22/26,09:00:00,Assign,10.20.0.31,{forged},{ANNA.upper()}\n", "utf-8")
    HistoryFile(path, HISTORIES["windows"], ZURICH, told.append).refresh(EIGHT)
    assert not [fact for fact in told if isinstance(fact, Lease) and fact.address == "10.20.0.99"]


def test_keas_columns_are_known_again_after_more_was_appended(tmp_path: Path) -> None:
    path, leases = tmp_path / "kea-leases4.csv", Leases()
    head, first, rest = KEA.split("\n", 2)
    path.write_text(f"{head}\n{first}\n")
    file = HistoryFile(path, HISTORIES["kea"], ZURICH, leases.learn)
    assert file.refresh(EIGHT) == 1
    with path.open("a") as grown:
        grown.write(rest)
    assert file.refresh(EIGHT) == 2
    assert leases.at("10.20.0.31", EIGHT + 900) == BEN


def test_a_file_of_another_kind_is_said_to_be_one_until_it_tells_something(tmp_path: Path) -> None:
    path = tmp_path / "controller.csv"
    path.write_text("when,who,where\n" * 2000)
    history = HistoryFile(path, HISTORIES["associations"], ZURICH, told([]).learn)
    history.refresh(EIGHT)
    assert "is its kind right in agent.toml?" in history.trouble
    path.write_text("time,station,ap\n1795334400,A4-83-E7-00-00-01,room-12\n")
    history.refresh(EIGHT)
    assert history.trouble == ""


def test_neighbours_tell_who_has_an_ipv6_address() -> None:
    lines = [
        "fd00:20::31 dev wlan0 lladdr a4:83:e7:00:00:01 REACHABLE",
        "fe80::1 dev wlan0 lladdr a4:83:e7:00:00:02 router STALE",
        "fd00:20::32 dev wlan0 FAILED",
        "fd00:20::33%en0                a4:83:e7:0:0:2  en0 23h59m58s S",
        "? (10.20.0.31) at a4:83:e7:0:0:1 on en0 ifscope [ethernet]",
        "FD00:0020:0000:0000:0000:0000:0000:0034,A4-83-E7-00-00-02",
    ]
    assert list(neighbour_owners(lines)) == [
        ("fd00:20::31", ANNA),
        ("fe80::1", BEN),
        ("fd00:20::33", BEN),
        ("10.20.0.31", ANNA),
        ("fd00:20::34", BEN),
    ]


def test_an_address_is_known_in_any_spelling() -> None:
    leases = Leases()
    leases.add(0, "FD00:20:0:0::31", ANNA)
    assert leases.at("fd00:20::31", 5) == ANNA
    assert leases.at("fd00:0020::0031%wlan0", 5) == ANNA
    assert plain_address("::ffff:10.0.0.1") == "10.0.0.1"
    assert plain_address("no:address") == "no:address"


def test_a_session_that_ends_late_does_not_take_an_address_from_its_next_owner() -> None:
    leases = Leases()
    leases.add(EIGHT, "10.0.0.1", ANNA)
    leases.add(EIGHT + 60, "10.0.0.1", BEN)
    leases.learn(Released(EIGHT + 120, "10.0.0.1", ANNA))
    assert leases.at("10.0.0.1", EIGHT + 121) == BEN


def test_radius_tells_place_and_address_and_no_name() -> None:
    facts = list(read_detail(RADIUS.splitlines(), ZURICH))
    point = "00-11-22-33-44-55:School"
    assert facts == [
        Located(EIGHT, ANNA, point),
        Lease(EIGHT, "10.20.0.31", ANNA),
        Located(EIGHT + 600, ANNA, ""),
        Released(EIGHT + 600, "10.20.0.31", ANNA),
    ]
    assert "anna.example" not in repr(facts)


@pytest.mark.parametrize(
    "export",
    [
        "Time,Client MAC,AP Name\n2026-11-22T09:00:00+01:00,a4:83:e7:00:00:01,Room-12\n",
        '"AP","Timestamp","MAC Address","User"\n"Room-12","2026-11-22 09:00:00","A483.E700.0001","anna"\n',
        "time,station,ap\n1795334400,A4-83-E7-00-00-01,room-12\nrubbish\n,,\n",
        "Clients of the last hour\nTime;Client MAC;AP\n1795334400;a483.e700.0001;Room-12\n",
    ],
)
def test_exports_of_associations_are_known_by_their_columns(export: str) -> None:
    facts = list(read_associations(export.splitlines(), ZURICH))
    assert [(fact.t, fact.hardware) for fact in facts] == [(EIGHT, ANNA)]
    assert access_point_name(facts[0].access_point) == "room-12"


def test_access_points_have_one_room_each(tmp_path: Path) -> None:
    path, refused = tmp_path / "access_points.csv", Refused()
    path.write_text("access_point,room\n00:11:22:33:44:55,12\n00-11-22-33-44-55:School,13\nhall,\nLab,14\n")
    assert load_access_points(path, refused) == {"001122334455": "12", "lab": "14"}
    assert refused.counts() == {
        "access_points.csv: access point twice": 1,
        "access_points.csv: no access point or no room": 1,
    }


def school(tmp_path: Path) -> Directory:
    """A cart whose home is room 12, and one class in each of the rooms 12 and 14, 09:00 to 10:00."""
    inventory = tmp_path / "inventory.csv"
    inventory.write_text(
        "serial_number,wifi_mac,user,room\nS1,a4:83:e7:00:00:01,,12\nS2,a4:83:e7:00:00:02,,\n"
    )
    classes = {
        f"c{room}": SchoolClass(
            id=f"c{room}", term="", grade_band="3-5", subject="Science", room=room, periods=("1",),
            sessions=(), teachers=frozenset(), learners=frozenset(),
        )
        for room in ("12", "14")
    }  # fmt: skip
    bells = (Bell("1", frozenset({"Sun"}), time(9), time(10)),)
    roster = Roster(classes, frozenset())
    points = {"001122334455": "12", "lab": "14"}
    timetable = Timetable(roster, bells, ZURICH)
    return Directory(load_inventory(inventory, Refused()), roster, timetable, ZURICH, points)


def test_a_travelling_ipad_belongs_to_the_class_in_whose_room_it_is(tmp_path: Path) -> None:
    directory = school(tmp_path)
    cart, homeless = directory.inventory.devices
    at = EIGHT + 300

    def class_of(device: object, moment: int) -> str:
        found = directory.lesson_at(cart if device is cart else homeless, moment)
        return found if isinstance(found, str) else found[1].school_class.id

    assert class_of(cart, at) == "c12", "nothing else is known: where it is kept"
    assert class_of(homeless, at) == "no_class"
    directory.learn(Located(at, ANNA, "Lab"))
    directory.learn(Located(at, BEN, "00-11-22-33-44-55:School"))
    assert class_of(cart, at - 1) == "c12"
    assert class_of(cart, at) == "c14"
    assert class_of(homeless, at) == "c12"
    directory.learn(Located(at + 60, BEN, ""))
    assert class_of(homeless, at + 60) == "no_class"
    directory.learn(Located(at + 120, ANNA, "an access point that is on no list"))
    assert class_of(cart, at + 120) == "c12"
    assert class_of(cart, EIGHT + 3600) == "outside_lessons"


def test_a_learners_own_ipad_goes_with_the_learner_wherever_its_access_point_is(tmp_path: Path) -> None:
    directory = school(tmp_path)
    inventory = tmp_path / "own.csv"
    inventory.write_text("serial_number,wifi_mac,user,room\nS1,a4:83:e7:00:00:01,anna,\n")
    own = replace(directory.roster.classes["c12"], learners=frozenset({"anna"}))
    roster = Roster({"c12": own, "c14": directory.roster.classes["c14"]}, frozenset())
    bells = (Bell("1", frozenset({"Sun"}), time(9), time(10)),)
    directory.replace(load_inventory(inventory, Refused()), roster, Timetable(roster, bells, ZURICH))
    directory.learn(Located(EIGHT, ANNA, "lab"))
    (device,) = directory.inventory.devices
    found = directory.lesson_at(device, EIGHT + 300)
    assert not isinstance(found, str)
    assert found[1].school_class.id == "c12"
