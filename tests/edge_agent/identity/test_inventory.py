"""Exports of MDMs come to one inventory, however each names, quotes, separates and encodes its columns."""

import codecs
import plistlib
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.identity.inventory import Inventory, inventory_files, listed_apps, load_inventory
from edge_agent.identity.tables import Refused
from models.catalogue.load import load_catalogue
from shared.errors import SettingsError

RECORDED = Path(__file__).parent.parent / "recorded" / "mdm"
MAC = "a4:83:e7:00:00:0{}"

JAMF = """\
"Display Name","Asset Tag","Serial Number","Wi-Fi MAC Address","Username","Email Address","Department","Model"
"Anna’s iPad","","SER1","A4:83:E7:00:00:01","anna","anna@school.example","","iPad (9th generation)"
"Cart 3-07","C3","SER2","A4:83:E7:00:00:02","","","Room 12","iPad (9th generation)"
"Office, front","","SER9","A4:83:E7:00:00:09","office","","","iPhone SE"
"""
MOSYLE = """\
Device Name;Serial Number;WiFi MAC Address;User ID;Email;Location;Shared Device;OS
Anna;SER1;a483e7000001;anna;anna@school.example;;No;iPadOS
Cart;SER2;a483e7000002;teacher;t@school.example;Room 12;Yes;iPadOS
"""
INTUNE = """\
Device ID,Device name,Serial number,Wi-Fi MAC,Primary user UPN,Device category,OS
1,Anna,SER1,A483E7000001,anna@school.example,,iPadOS
2,Cart,SER2,A4-83-E7-00-00-02,,Room 12,iPadOS
3,PC,SER8,A483E7000008,office@school.example,,Windows
"""
OWN = "serial_number,wifi_mac,user,room,opt_out\nSER1,a483e7000001,anna,,\nSER2,a483e7000002,,Room 12,\n"
EXPORTS = {"jamf": (JAMF, "anna"), "mosyle": (MOSYLE, "anna"), "intune": (INTUNE, "anna@school.example")}


def load(path: Path, opt_outs: Path | None = None) -> tuple[Inventory, Refused]:
    refused = Refused()
    return load_inventory(path, refused, opt_outs), refused


def write(path: Path, data: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize("name", [*EXPORTS, "own"])
def test_every_mdms_export_says_the_same_two_ipads(tmp_path: Path, name: str) -> None:
    text, user = EXPORTS.get(name, (OWN, "anna"))
    inventory, refused = load(write(tmp_path / "export.csv", text))
    anna, cart = inventory.by_hardware["a483e7000001"], inventory.by_hardware["a483e7000002"]
    assert (anna.id, anna.user, anna.room, anna.opted_out) == ("SER1", user, "", False)
    assert (cart.id, cart.user, cart.room) == ("SER2", "", "Room 12")
    assert inventory.by_user[user] == anna
    others = {"export.csv: no iPad": 1} if name in ("jamf", "intune") else {}
    assert refused.counts() == others, "phones and computers are no iPads"


ENCODINGS = {
    "utf-8 with its mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16 as Excel saves it": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16, the other way round": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "utf-16 without its mark": lambda text: text.encode("utf-16-le"),
    "lines of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "Excel's own first line": lambda text: b"sep=,\r\n" + text.encode(),
    "tabs": lambda text: text.replace('","', '"\t"').encode(),
}


@pytest.mark.parametrize("how", ENCODINGS)
def test_every_way_that_a_table_is_saved_is_read(tmp_path: Path, how: str) -> None:
    inventory, refused = load(write(tmp_path / "export.csv", ENCODINGS[how](JAMF)))
    assert set(inventory.by_hardware) == {"a483e7000001", "a483e7000002"}
    assert refused.counts() == {"export.csv: no iPad": 1}


def test_one_bad_byte_costs_its_own_row_alone(tmp_path: Path) -> None:
    utf_8 = JAMF.encode().replace(b"Cart 3-07", b"Cart \xff 3-07")
    utf_16 = codecs.BOM_UTF16_LE + JAMF.encode("utf-16-le").replace(
        "Cart".encode("utf-16-le"), b"\x00\xd8" + "art".encode("utf-16-le")
    )
    for data in (utf_8, utf_16):
        inventory, refused = load(write(tmp_path / "export.csv", data))
        assert set(inventory.by_hardware) == {"a483e7000001"}
        assert refused.counts() == {"export.csv: not UTF-8": 1, "export.csv: no iPad": 1}


def test_several_exports_in_a_folder_say_more_than_one(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    write(folder / "a.csv", OWN.replace("a483e7000002", ""))
    write(folder / "b" / "intune.csv", INTUNE)
    answer = plistlib.loads((RECORDED / "DeviceInformation-iOS-11.3.1.xml").read_bytes())
    said = {"SerialNumber": "SER3", "WiFiMAC": MAC.format(3)}
    answer["QueryResponses"] |= said
    write(folder / "one.plist", plistlib.dumps(answer, fmt=plistlib.FMT_BINARY))
    write(folder / "notes.docx", b"PK")
    inventory, refused = load(folder)
    assert {device.id: device.room for device in inventory.devices} == {
        "SER1": "",
        "SER2": "Room 12",
        "SER3": "",
    }
    assert refused.counts() == {"intune.csv: no iPad": 1}
    assert len(inventory_files(folder)) == 3


def test_a_learner_is_known_by_every_name_of_the_export_and_a_name_of_several_is_nobodys(
    tmp_path: Path,
) -> None:
    row = '"","","SER{0}","A4:83:E7:00:00:0{0}","{1}","{2}","","iPad"\n'
    more = row.format(3, "ben", "office@school.example") + row.format(4, "cleo", "office@school.example")
    inventory, _ = load(write(tmp_path / "export.csv", JAMF + more))
    assert inventory.by_user["anna"].id == inventory.by_user["anna@school.example"].id == "SER1"
    assert inventory.by_user["ben"].id != inventory.by_user["cleo"].id
    assert "office@school.example" not in inventory.by_user


@pytest.mark.parametrize(
    ("text", "opted_out"),
    [
        ("serial_number\nSER1\n", {"SER1"}),
        ("user\nANNA\n", {"SER1"}),
        ("user\nanna@school.example\n", {"SER1"}),
        ("user;serial_number\nanna;\n;ser2\n", {"SER1", "SER2"}),
        ("Serial Number,User\nSER2,\n", {"SER2"}),
    ],
)
def test_devices_and_learners_whose_families_said_no_are_opted_out(
    tmp_path: Path, text: str, opted_out: set[str]
) -> None:
    for export in (JAMF, MOSYLE):
        found, refused = load(write(tmp_path / "export.csv", export), write(tmp_path / "opt_outs.csv", text))
        assert {device.id for device in found.devices if device.opted_out} == opted_out
        assert not any("opt_outs" in name for name, *_ in refused.rows)


def test_a_learner_who_opted_out_by_user_name_is_out_with_an_inventory_of_mailboxes(tmp_path: Path) -> None:
    opt_outs = write(tmp_path / "opt_outs.csv", "user\nanna\n")
    found, _ = load(write(tmp_path / "export.csv", INTUNE), opt_outs)
    assert found.by_user["anna@school.example"].opted_out


def test_an_opt_out_that_names_nobody_is_told(tmp_path: Path) -> None:
    opt_outs = write(tmp_path / "opt_outs.csv", "serial_number,user\nSER77,\n,zoe\n,\nSER1,\n")
    found, refused = load(write(tmp_path / "export.csv", JAMF), opt_outs)
    assert refused.counts() == {
        "export.csv: no iPad": 1,
        "opt_outs.csv: names no device of the inventory": 2,
    }
    assert found.by_user["anna"].opted_out
    with pytest.raises(SettingsError, match="neither a column"):
        load(tmp_path / "export.csv", write(tmp_path / "bad.csv", "name\nanna\n"))


def test_an_opt_out_counts_for_every_ipad_of_the_learner(tmp_path: Path) -> None:
    second = OWN + "SER5,a483e7000005,anna,,yes\n"
    found, _ = load(write(tmp_path / "export.csv", second))
    assert {device.hardware for device in found.devices if device.opted_out} == {
        "a483e7000001",
        "a483e7000005",
    }
    assert found.by_user["anna"].opted_out


@pytest.mark.parametrize("kind", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_answers_of_devices_are_read_and_apps_are_counted_only(
    tmp_path: Path, kind: plistlib.PlistFormat
) -> None:
    for number, path in enumerate(sorted(RECORDED.glob("*.xml"))):
        data = path.read_bytes()
        if "CertificateList" not in path.name:
            data = plistlib.dumps(plistlib.loads(data), fmt=kind)
        write(tmp_path / "answers" / f"{number}.plist", data)
    write(tmp_path / "answers" / "export.csv", OWN)
    inventory, refused = load(tmp_path / "answers")
    assert {device.id for device in inventory.devices} == {"SER1", "SER2"}
    assert refused.counts() == {
        "*.plist: no hardware address": 1,
        "*.plist: no iPad": 1,
        "*.plist: no property list": 1,
    }, "the recorded iPad's address is all zeros, the Mac is none, one file is cut short"
    assert inventory.installed["com.apple.Numbers"] == 1
    assert "com.apple.iWork.Keynote" not in inventory.installed, "it failed to install"
    catalogue = load_catalogue()
    apps = listed_apps(inventory, catalogue)
    assert apps and set(apps) <= set(catalogue.by_id)


def _binary(objects: list[bytes]) -> bytes:
    data, offsets = b"bplist00", b""
    for item in objects:
        offsets += struct.pack(">H", len(data))
        data += item
    return data + offsets + struct.pack(">6xBBQQQ", 2, 1, len(objects), 0, len(data))


DOCTYPE = b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]>'
HOSTILE = {
    "entities": DOCTYPE + b"<plist><string>&b;</string></plist>",
    "another file": b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    b"<plist><dict><key>UDID</key><string>&a;</string></dict></plist>",
    "deep": b'<?xml version="1.0"?><plist>' + b"<array>" * 100_000 + b"</array>" * 100_000 + b"</plist>",
    "deep dictionaries": b'<?xml version="1.0"?><plist>' + b"<dict><key>a</key>" * 50_000,
    "itself": _binary([b"\xa1\x00"]),
    "itself in a dictionary": _binary([b"\xd1\x01\x00", b"\x5eQueryResponses"]),
    "many of the same": _binary([*(bytes([0xA2, i + 1, i + 1]) for i in range(60)), b"\x51a"]),
    "far too many": _binary([b"\xaf\x13" + struct.pack(">Q", 2**40)]),
    "far too long": _binary([b"\x5f\x13" + struct.pack(">Q", 2**62)]),
    "a long number": b'<?xml version="1.0"?><plist><integer>' + b"9" * 5000 + b"</integer></plist>",
    "no date": b'<?xml version="1.0"?><plist><date>never</date></plist>',
    "cut short": b'<?xml version="1.0"?><plist><dict><key>a',
    "rubbish": b"bplist00" + bytes(range(256)),
    "huge": b"bplist00" + bytes(17 * 1024 * 1024),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_property_list_is_refused_and_harms_nobody(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "answers"
    write(folder / "export.csv", OWN)
    write(folder / "bad.plist", HOSTILE[name])
    inventory, refused = load(folder)
    assert len(inventory.devices) == 2
    assert sum(refused.counts().values()) == 1
    assert "root:" not in str(refused.rows)


def test_what_is_no_export_stops_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="has no column `serial_number`: export it with"):
        load(write(tmp_path / "export.csv", "a,b\n1,2\n"))
    with pytest.raises(SettingsError, match="is missing: export it"):
        load(tmp_path / "nothing.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="holds no export"):
        load(tmp_path / "empty")


@settings(
    derandomize=True,
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from([JAMF.encode(), MOSYLE.encode(), INTUNE.encode("utf-16-le"), *HOSTILE.values()][:12]),
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=4)), max_size=4),
)
def test_mutated_exports_give_an_inventory_or_say_what_to_do(
    tmp_path: Path, data: bytes, changes: list[tuple[int, bytes]]
) -> None:
    for at, inserted in changes:
        data = data[:at] + inserted + data[at + 1 :]
    path = write(tmp_path / "export.csv", data)
    try:
        inventory, _ = load(path)
    except SettingsError as error:
        assert "\n" not in str(error)
    else:
        assert all(len(device.hardware) == 12 for device in inventory.devices)
