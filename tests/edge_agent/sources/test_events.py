"""Per-event exports are read through a mapping; what the mapping does not name is never looked at."""

import json
import logging
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.events import EventReader, ask_for_mapping, load_mapping, make_reader
from edge_agent.sources.facts import Contact, Reading, Visit
from edge_agent.sources.logtime import LogTime
from models.catalogue.load import load_catalogue
from models.catalogue.match import NameMatcher
from shared.errors import SettingsError

ZONE = ZoneInfo("America/Denver")
OWN = """
[time]
column = "When"
format = "iso"
zone = "UTC"
[who]
address = "IP"
user = "Account"
[what]
host = "Host"
url = "Link"
product = "App"
[[keep]]
column = "Action"
in = ["allowed", "Allow"]
[[drop]]
column = "Type"
in = ["heartbeat"]
"""
HEADER = "When,IP,Account,Host,Link,App,Action,Type,Title,Device Name"
ROW = "2026-09-14T14:31:02Z,10.0.0.7,,www.khanacademy.org,,,allowed,web,canary title,canary ipad"
T = 1789396262


def own(tmp_path: Path, text: str = OWN) -> EventReader:
    """A reader by a mapping of our own."""
    (tmp_path / "own.toml").write_text(text)
    return make_reader(load_mapping("own.toml", tmp_path))


def read(reader: EventReader, *lines: str) -> Reading:
    """What a reader makes of whole lines."""
    return reader("".join(f"{line}\n" for line in lines).encode(), LogTime(ZONE))


def row(**cells: str) -> str:
    """A line of the export with some cells of its own."""
    return ",".join(
        cells.get(name, cell) for name, cell in zip(HEADER.split(","), ROW.split(","), strict=True)
    )


def test_a_row_tells_who_reached_which_host_and_the_header_is_not_counted(tmp_path: Path) -> None:
    reading = read(own(tmp_path), HEADER, ROW, HEADER, row(IP="", Account="jane"))
    assert reading.facts == [
        Contact(T, "10.0.0.7", "www.khanacademy.org"),
        Visit(T, "jane", "www.khanacademy.org"),
    ]
    assert (reading.lines, reading.newest) == (2, T)


def test_of_an_address_of_the_web_only_the_host_is_left(tmp_path: Path) -> None:
    for link in ("https://u:canary@Docs.Google.com:443/canary?canary#canary", "docs.google.com/canary"):
        assert read(own(tmp_path), HEADER, row(Host="", Link=link)).facts == [
            Contact(T, "10.0.0.7", "docs.google.com")
        ]


def test_a_product_without_a_host_becomes_the_catalogues_own_host_of_it(tmp_path: Path) -> None:
    reading = read(own(tmp_path), HEADER, row(Host="", App="ABC  News"), row(Host="", App="canary game"))
    catalogue = load_catalogue()
    (fact,) = reading.facts
    assert isinstance(fact, Contact)
    assert NameMatcher(catalogue).match(fact.name) == catalogue.index("abc_news")
    assert reading.passed_over == {"nothing_named": 1}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Action": "blocked"}, "not_kept"),
        ({"Type": " Heartbeat "}, "dropped"),
        ({"Host": "10.0.0.1"}, "nothing_named"),
        ({"Host": ""}, "nothing_named"),
        ({"IP": ""}, "nobody_named"),
    ],
)
def test_rows_that_say_nothing_of_use_are_passed_over(
    tmp_path: Path, cells: dict[str, str], reason: str
) -> None:
    reading = read(own(tmp_path), HEADER, row(**cells))
    assert (reading.facts, reading.passed_over) == ([], {reason: 1})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row(When="yesterday"), "unreadable_time"),
        (row(When="1969-12-31T00:00:00Z"), "unreadable_time"),
        (row(IP="jane"), "bad_address"),
        (row(IP="", Account="j" * 300), "bad_user"),
        (f"{ROW},one more", "wrong_columns"),
        (row(Title='"never closed'), "malformed_line"),
        (row(Title="a\0b"), "control_bytes"),
        ("," * 400, "too_many_columns"),
        ("," * 10_000, "line_too_long"),
    ],
)
def test_what_is_broken_is_refused_and_the_next_row_is_read(tmp_path: Path, line: str, reason: str) -> None:
    reading = read(own(tmp_path), HEADER, line, ROW)
    assert (reading.refused, len(reading.facts), reading.lines) == ({reason: 1}, 1, 2)


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert len(own(tmp_path)(f"\ufeff{HEADER}\r\n{ROW}\r\n".encode(), LogTime(ZONE)).facts) == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_an_export_in_utf_16_is_refused_by_name(tmp_path: Path, encoding: str) -> None:
    reading = own(tmp_path)(f"{HEADER}\n{ROW}\n".encode(encoding), LogTime(ZONE))
    assert reading.facts == [] and reading.refused.keys() == {"utf_16"}


def test_a_hole_of_zeros_costs_its_own_line_alone(tmp_path: Path) -> None:
    reading = read(own(tmp_path), "\0" * 500, HEADER, ROW)
    assert (sum(reading.refused.values()), len(reading.facts)) == (1, 1)


def test_without_a_header_that_has_the_columns_every_row_is_refused(tmp_path: Path) -> None:
    assert read(own(tmp_path), HEADER.replace("Account", "User"), ROW).refused == {"no_header": 2}


def test_a_file_without_a_header_is_read_by_the_columns_that_the_mapping_names(tmp_path: Path) -> None:
    named = f"columns = {json.dumps(HEADER.split(','))}\n{OWN}"
    assert len(read(own(tmp_path, named), ROW, HEADER, ROW).facts) == 2


def test_json_lines_are_read_with_paths_of_keys(tmp_path: Path) -> None:
    text = 'format = "json"\n' + OWN.replace('"IP"', '"client.address"')
    good = {
        "When": "2026-09-14T14:31:02Z",
        "client": {"address": "10.0.0.7", "name": "canary"},
        "Host": "a.example",
    }
    lines = [
        json.dumps({**good, "Action": "allowed"}),
        json.dumps(good),
        '{"When":',
        "[" * 8000,
        '{"Host": [1]}',
    ]
    reading = read(own(tmp_path, text), *lines)
    assert reading.facts == [Contact(T, "10.0.0.7", "a.example")]
    assert (reading.passed_over, reading.refused) == ({"not_kept": 1}, {"malformed_line": 3})


@pytest.mark.parametrize(
    ("form", "zone", "text"),
    [
        ("%m/%d/%Y %I:%M:%S %p", "local", "09/14/2026 08:31:02 AM"),
        ("%d.%m.%Y %H:%M:%S", "Europe/Zurich", "14.09.2026 16:31:02"),
        ("unix", "local", str(T)),
        ("unix_ms", "local", f"{T}123"),
        ("iso", "local", "2026-09-14 08:31:02"),
        ("%Y-%m-%dT%H:%M:%S%z", "local", "2026-09-14T17:31:02+0300"),
    ],
)
def test_times_are_read_as_the_mapping_says(tmp_path: Path, form: str, zone: str, text: str) -> None:
    mapped = OWN.replace('"iso"', f'"{form}"').replace('"UTC"', f'"{zone}"')
    assert [
        fact.t
        for fact in read(own(tmp_path, mapped), HEADER, row(When=text)).facts
        if isinstance(fact, Contact)
    ] == [T]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("address =", "adress =", "did you mean `address`"),
        ("[time]", "[tme]", "did you mean `time`"),
        ('"iso"', '"%H:%M"', "must say year, month and day"),
        ('"UTC"', '"Mars/Base"', "unknown time zone `Mars/Base`"),
        ('address = "IP"\nuser = "Account"', "", "[who] needs"),
        ('host = "Host"\nurl = "Link"\nproduct = "App"', "", "[what] needs"),
        ('in = ["heartbeat"]', "in = []", "drop"),
        (
            "\n[time]",
            'columns = ["When", "IPs"]\n[time]',
            "column `IP` is not among `columns`; did you mean `IPs`",
        ),
        ("\n[time]", 'format = "xml"\n[time]', "format"),
    ],
)
def test_a_wrong_mapping_says_in_one_line_what_is_wrong(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in OWN
    with pytest.raises(SettingsError) as raised:
        own(tmp_path, OWN.replace(old, new, 1))
    assert says in str(raised.value) and "\n" not in str(raised.value)


def test_a_mapping_that_is_not_there_names_the_nearest_or_all(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean `securly`"):
        load_mapping("securely")
    with pytest.raises(SettingsError, match=r"absent\.toml is no file"):
        load_mapping("absent.toml", tmp_path)
    with pytest.raises(SettingsError, match=r"needs `mapping`.*lightspeed, securly"):
        ask_for_mapping()


def test_the_mapping_that_the_page_explains_is_one(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "sources" / "mapping.md"
    found = re.search(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    line = row(When="09/14/2026 08:31:02 AM")
    assert read(own(tmp_path, found[1]), HEADER, line).facts == [
        Contact(T, "10.0.0.7", "www.khanacademy.org")
    ]


def test_the_shipped_mappings_read_rows_of_their_shapes() -> None:
    securly = read(
        make_reader(load_mapping("securly")),
        "Time,User,URL,Action,Category,Device",
        "2026-09-14 08:31:02,jane@school.example,https://www.khanacademy.org/canary,Allowed,canary,canary",
        "2026-09-14 08:31:03,jane@school.example,jane.canary.0a1b2c.securly.com,Allowed,canary,canary",
        "2026-09-14 08:31:04,jane@school.example,https://games.example/,Blocked,canary,canary",
    )
    assert [(fact.t, fact.name) for fact in securly.facts if isinstance(fact, Visit)] == [
        (T, "www.khanacademy.org"),
        (T + 1, "securly.com"),
    ]
    lightspeed = read(
        make_reader(load_mapping("lightspeed")),
        "Time,User,Domain,URL,Action,School",
        "09/14/2026 08:31:02 AM,jane,khanacademy.org,,allowed,canary",
    )
    assert lightspeed.facts == [Visit(T, "jane", "khanacademy.org")]
    assert "canary" not in repr((securly, lightspeed))


class Ear(logging.Handler):
    """Hears whatever anybody logs."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.heard.append(record.getMessage())


canary = st.text(st.characters(codec="utf-8", exclude_characters=',"\r\n\0'), max_size=20).map(
    "canary{}".format
)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(st.tuples(canary, canary, st.booleans(), st.booleans()), max_size=6))
def test_nothing_of_a_column_that_is_not_mapped_gets_through(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, bool, bool]]
) -> None:
    ear = Ear()
    logging.getLogger().addHandler(ear)
    try:
        reader = own(tmp_path_factory.mktemp("own"))
        lines = [
            row(**{"Title": title, "Device Name": name, **({"When": "never"} if broken else {})})
            + (",more" if wide else "")
            for title, name, broken, wide in rows
        ]
        reading = read(reader, HEADER, *lines)
    finally:
        logging.getLogger().removeHandler(ear)
    assert "canary" not in repr(reading) and not ear.heard


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from([HEADER, ROW, '"', ",", "\0"]), st.text(max_size=40)), max_size=8))
def test_no_text_breaks_the_reader_and_every_counted_line_has_a_fate(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    data = "\n".join(lines).encode("utf-8", "replace")
    for text in (OWN, f'format = "json"\n{OWN}'):
        reading = own(tmp_path_factory.mktemp("own"), text)(data, LogTime(ZONE))
        fates = len(reading.facts) + sum(reading.refused.values()) + sum(reading.passed_over.values())
        assert reading.lines == fates
