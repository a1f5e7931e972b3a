"""The core's CSV files: a round trip loses nothing, and what is wrong is named with its line."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import csv_lines, tables
from models.features.compute import Signals
from models.features.set1 import EVIDENCE, FEATURES
from models.integration.load import read_model
from models.scoring.reference import shipped_reference
from models.scoring.scorer import Scorer
from models.tables.texts import number_texts
from shared.errors import BadInput, UsageError
from shared.words import Action
from tests.models.test_integration_models import written

APPS = {"reader": 1, "studio": 2}
WINDOWS = """window,school,start,end,expected,sources
w1,Alder,1000,1600,25,dnsmasq
w2,Alder,2000,2600,24,dnsmasq;xapi
"""
SIGNALS = """window,t,device,app,action,amount
w1,1000,ipad-7,reader,contact,0
w2,2001,ipad-7,,contact,
w1,1003,ipad-2,studio,create,12.5
"""

lawful = settings(
    derandomize=True,
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
numbers = st.floats(allow_nan=True, allow_infinity=False)
features = st.floats(-1e9, 1e9) | st.just(math.nan)


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder: Path, signals: str | bytes, windows: str = WINDOWS) -> Signals:
    listed = tables.read_windows(put(folder, "W.csv", windows))
    return tables.read_signals(put(folder, "S.csv", signals), listed, APPS)


def test_windows_are_read_column_by_column(tmp_path: Path) -> None:
    found = tables.read_windows(put(tmp_path, "W.csv", WINDOWS))
    assert found.ids == ("w1", "w2")
    assert found.school == ("Alder", "Alder")
    assert found.class_ is None
    assert found.columns.start.tolist() == [1000, 2000]
    assert found.columns.end.tolist() == [1600, 2600]
    assert found.columns.expected.tolist() == [25, 24]
    assert found.columns.kinds == [frozenset({"dnsmasq"}), frozenset({"dnsmasq", "xapi"})]


def test_signals_are_read_column_by_column(tmp_path: Path) -> None:
    found = read(tmp_path, SIGNALS)
    assert found.window.tolist() == [0, 1, 0]
    assert found.t.tolist() == [1000, 2001, 1003]
    assert found.device[0] == found.device[1] != found.device[2]
    assert found.app.tolist() == [1, 0, 2]
    assert found.action.tolist() == [Action.CONTACT, Action.CONTACT, Action.CREATE]
    assert found.amount.tolist() == [0, 0, 12.5]


def test_a_device_may_be_any_token_and_its_number_does_not_depend_on_the_order_of_rows(
    tmp_path: Path,
) -> None:
    header, *lines = SIGNALS.splitlines()
    turned = "\n".join([header, *reversed(lines)])
    assert read(tmp_path, turned).device.tolist() == read(tmp_path, SIGNALS).device.tolist()[::-1]


def test_columns_may_stand_in_any_order_with_a_mark_and_windows_line_ends(tmp_path: Path) -> None:
    text = "amount,app,window,t,action,device\r\n5,reader,w1,1000,view,x\r\n\r\n"
    found = read(tmp_path, b"\xef\xbb\xbf" + text.encode())
    assert found.amount.tolist() == [5]
    assert found.action.tolist() == [Action.VIEW]


def test_a_file_without_signals_has_none(tmp_path: Path) -> None:
    assert len(read(tmp_path, "window,t,device,app,action,amount\n")) == 0


def test_files_longer_than_a_block_are_read_whole_and_told_by_their_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = tables.read_windows(put(tmp_path, "W.csv", WINDOWS))
    monkeypatch.setattr(csv_lines, "_BYTES_AT_ONCE", 40)
    path = put(tmp_path, "S.csv", SIGNALS)
    told: list[int] = []
    found = tables.read_signals(path, listed, APPS, told.append)
    assert found.t.tolist() == [1000, 2001, 1003]
    assert sum(told) == path.stat().st_size
    broken = put(tmp_path, "B.csv", SIGNALS + "\nw9,1,x,,contact,\n")
    with pytest.raises(BadInput, match="line 6: `window` 'w9'"):
        tables.read_signals(broken, listed, APPS)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("reader", "readr", "line 2: `app` 'readr' is not in the catalogue; did you mean `reader`?"),
        ("create", "creat", "line 4: `action` 'creat' is no action; did you mean `create`?"),
        ("w2,2001", "w3,2001", "line 3: `window` 'w3' is no window of the table"),
        ("1003", "10.5", "line 4: `t` must be a whole number"),
        ("1003", "-3", "line 4: `t` must be a whole number"),
        ("1003", "1_003", "line 4: `t` must be a whole number"),
        ("1003", "99999999999999999999", "line 4: `t` must be a whole number"),
        ("1003", "4294967296", "line 4: `t` must be a whole number"),
        ("1003", "", "line 4: `t` must be a whole number"),
        ("1003", "\u0661", "line 4: `t` must be a whole number"),
        ("12.5", "twelve", "line 4: `amount` must be a number"),
        ("12.5", "nan", "line 4: `amount` must be a number"),
        ("12.5", "1e999", "line 4: `amount` must be a number"),
        ("12.5", "-1", "line 4: `amount` must be a number"),
        ("12.5", "3601", "line 4: `amount` must be a number from 0 to 3600"),
        ("12.5", "1e-300", "line 4: `amount` is 0 or at least a nanosecond"),
        ("ipad-2", "", "line 4: `device` must have 1 to 200 characters"),
        ("ipad-2", "x" * 300, "line 4: `device` must have 1 to 200 characters"),
        ("ipad-2", "a\tb", "line 4: `device` holds a control character"),
        ("ipad-2", "a\x7fb", "line 4: `device` holds a control character"),
        ("ipad-2", "\x85\u00e9", "line 4: `device` holds a control character"),
        ("ipad-2", '"a\nb"', "line 5: `device` holds a control character"),
        ("ipad-2", '"a\rb"', "line 5: `device` holds a control character"),
        ("w2,2001", "\x1b[2J,2001", r"line 3: `window` '\\x1b\[2J' is no window"),
        ("ipad-2", "x" * 200_000, "line 4: field larger than field limit"),
        ("ipad-2", "a\0b", "line 4: a byte 0"),
        ("ipad-2", '"', "line 4: unexpected end of data"),
        ("ipad-2", "a,b", "line 4: 7 cells where the header names 6 columns"),
        ("w1,1000", '"w1"x,1000', "line 2"),
        ("app,", "apps,", "line 1: there is no column `app`"),
        ("amount\n", "amount,note\n", "line 1: unknown column 'note'"),
        ("amount\n", "amount,app\n", "line 1: a column stands twice"),
    ],
)
def test_hostile_signals_are_refused_in_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        read(tmp_path, SIGNALS.replace(old, new, 1))
    assert "\n" not in str(caught.value)
    assert "S.csv" in str(caught.value)
    assert "ipad" not in str(caught.value)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00window", bytes(range(256)), b"", b"\n\n", b"PK\x03\x04zip"])
def test_what_is_no_csv_at_all_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BadInput, match=r"S\.csv"):
        read(tmp_path, data)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("w2", "w1", "line 3: `window` 'w1' stands twice"),
        ("w2", "", "line 3: `window` must have 1 to 200 characters"),
        ("w2,Alder", "w2,", "line 3: `school` must have 1 to 200 characters"),
        ("2600", "2000", "line 3: `end` must come after `start`"),
        (
            "dnsmasq;xapi",
            "dnsmasq;xpi",
            "line 3: `sources`: unknown kind of source `xpi`; did you mean `xapi`",
        ),
        ("dnsmasq;xapi", "\x1b[2J", r"line 3: `sources`: unknown kind of source `\\x1b\[2J`"),
        (",24,", ",,", "line 3: `expected` must be a whole number"),
        ("sources", "source", "line 1: there is no column `sources`"),
    ],
)
def test_hostile_windows_are_refused_in_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        tables.read_windows(put(tmp_path, "W.csv", WINDOWS.replace(old, new, 1)))


HARMFUL = (
    "\x1b[31mred",
    "a\u202eb",
    "a\u2028b",
    "a\nb",
    "a\rb",
    "a\tb",
    "\x07",
    "\u200b",
    "=1+1",
    "+c",
    "-c",
    "@c",
)
HARMLESS = ("5-B", "a=b", "Søster Ågot", "क्‍ष", "a\xa0b", "<b>", "'", "7+", "校")


@pytest.mark.parametrize("name", HARMFUL)
@pytest.mark.parametrize("column", ["window", "school", "class"])
def test_names_that_do_harm_where_they_are_shown_are_refused_with_their_line(
    tmp_path: Path, column: str, name: str
) -> None:
    cells = {"window": "w1", "school": "Alder", "class": "k7"} | {column: f'"{name}"'}
    header = "window,school,class,start,end,expected,sources"
    line = f"{','.join(cells.values())},1,2,3,xapi"
    end = 2 + sum(name.count(sign) for sign in "\n\r")
    with pytest.raises(BadInput, match=f"line {end}: `{column}` ") as windows:
        tables.read_windows(put(tmp_path, "W.csv", f"{header}\n{line}\n"))
    features = f"window,school,class,{','.join(FEATURES)}\n{','.join(cells.values())}{',' * 24}\n"
    with pytest.raises(BadInput, match=f"line {end}: `{column}` ") as rows:
        tables.read_features(put(tmp_path, "F.csv", features))
    for caught in (windows, rows):
        assert str(caught.value).isprintable()
        assert ("formula" in str(caught.value)) == (name[0] in "=+-@")


@pytest.mark.parametrize("name", HARMLESS)
def test_names_in_any_writing_are_read_as_they_are(tmp_path: Path, name: str) -> None:
    text = (
        f"window,school,class,start,end,expected,sources\n{name},{name},{name},1,2,3,xapi\nx,y,,1,2,3,xapi\n"
    )
    found = tables.read_windows(put(tmp_path, "W.csv", text))
    assert (found.ids, found.school, found.class_) == ((name, "x"), (name, "y"), (name, ""))
    tables.write_features(tmp_path / "F.csv", found, np.zeros((2, 24)))
    again = tables.read_features(tmp_path / "F.csv")
    assert (again.ids, again.school, again.class_) == (found.ids, found.school, found.class_)


def test_features_that_could_not_be_read_again_are_not_written(tmp_path: Path) -> None:
    listed = tables.read_windows(put(tmp_path, "W.csv", WINDOWS))
    path = put(tmp_path, "F.csv", "the former one")
    x = np.full((2, 24), np.nan)
    x[1, 6] = 3.6e12
    with pytest.raises(BadInput, match=r"window 'w2': `artefact_rate` would be 3\.6e"):
        tables.write_features(path, listed, x)
    assert path.read_text() == "the former one"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["F.csv", "W.csv"]


def test_among_very_many_windows_the_nearest_name_is_not_looked_for(tmp_path: Path) -> None:
    header = "window,school,start,end,expected,sources\n"
    for count, hinted in ((2000, True), (2001, False)):
        lines = "".join(f"lesson-{i},Alder,0,9,1,xapi\n" for i in range(count))
        with pytest.raises(BadInput, match="is no window of the table") as caught:
            read(tmp_path, SIGNALS.replace("w1", "lesson-x", 1), header + lines)
        assert ("did you mean" in str(caught.value)) == hinted


def test_a_table_of_windows_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no rows"):
        tables.read_windows(put(tmp_path, "W.csv", WINDOWS.splitlines()[0]))


def test_a_file_that_is_not_there_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.csv cannot be read"):
        tables.read_windows(tmp_path / "none.csv")
    listed = tables.read_windows(put(tmp_path, "W.csv", WINDOWS))
    with pytest.raises(UsageError, match="cannot be written"):
        tables.write_features(tmp_path / "no" / "F.csv", listed, np.zeros((2, 24)))


@lawful
@given(st.lists(st.lists(features, min_size=24, max_size=24), min_size=2, max_size=2))
def test_features_survive_their_file_to_the_last_bit(tmp_path: Path, rows: list[list[float]]) -> None:
    x = np.array(rows)
    x[:, EVIDENCE] = np.abs(x[:, EVIDENCE])
    listed = tables.read_windows(put(tmp_path, "W.csv", WINDOWS))
    tables.write_features(tmp_path / "F.csv", listed, x)
    again = tables.read_features(tmp_path / "F.csv")
    np.testing.assert_array_equal(again.x, x)
    assert again.ids == listed.ids
    assert (again.class_, again.start) == (None, None)


@lawful
@given(st.lists(numbers | st.floats(1e-5, 1e17) | st.integers(-(10**17), 10**17).map(float), max_size=20))
def test_numbers_are_written_as_python_writes_them(values: list[float]) -> None:
    expected = ["" if math.isnan(value) else repr(value) for value in values]
    assert list(number_texts(np.array(values))) == expected


def test_features_longer_than_a_block_are_read_whole_and_still_name_every_window_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_lines, "_BYTES_AT_ONCE", 600)
    lines = ["window,school,start,end,expected,sources", *(f"w{i},Alder,0,{i + 1},1,xapi" for i in range(50))]
    listed = tables.read_windows(put(tmp_path, "W.csv", "\n".join(lines)))
    x = np.random.default_rng(7).random((50, 24))
    tables.write_features(tmp_path / "F.csv", listed, x)
    again = tables.read_features(tmp_path / "F.csv")
    np.testing.assert_array_equal(again.x, x)
    assert again.ids == listed.ids
    text = (tmp_path / "F.csv").read_text()
    with pytest.raises(BadInput, match="line 51: `window` 'w3' stands twice"):
        tables.read_features(put(tmp_path, "F.csv", text.replace("w49,", "w3,")))


def test_the_header_of_features_is_the_agreed_one(tmp_path: Path) -> None:
    listed = tables.read_windows(put(tmp_path, "W.csv", WINDOWS))
    tables.write_features(tmp_path / "F.csv", listed, np.full((2, 24), np.nan))
    header, first, _ = (tmp_path / "F.csv").read_text().splitlines()
    assert header.split(",") == ["window", "school", *FEATURES]
    assert first == "w1,Alder" + "," * 24


def test_windows_with_classes_make_features_with_class_and_start(tmp_path: Path) -> None:
    lines = [
        line.replace("Alder,", "Alder,k7,").replace("school,", "school,class,")
        for line in WINDOWS.splitlines()
    ]
    listed = tables.read_windows(put(tmp_path, "W.csv", "\n".join(lines)))
    tables.write_features(tmp_path / "F.csv", listed, np.zeros((2, 24)))
    assert (tmp_path / "F.csv").read_text().startswith("window,school,class,start,consume_share,")
    again = tables.read_features(tmp_path / "F.csv")
    assert again.class_ == ("k7", "k7")
    assert again.start is not None
    assert again.start.tolist() == [1000, 2000]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.5", "inf", r"line 2: `consume_share` must be a number from -1e\+09 to 1e\+09, or blank"),
        ("0.5", "half", "line 2: `consume_share` must be a number"),
        ("0.5", "1e308", "line 2: `consume_share` must be a number"),
        ("0.5", "-1000000000.1", "line 2: `consume_share` must be a number"),
        ("0.75", "-0.75", r"line 3: `evidence` must be a number from 0 to 1e\+09, or blank"),
        ("0.75", "1e10", "line 3: `evidence` must be a number"),
        ("practise_share", "practice_share", "line 1: there is no column `practise_share`"),
        ("w2", "w1", "line 3: `window` 'w1' stands twice"),
    ],
)
def test_hostile_features_are_refused_in_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    x = np.zeros((2, 24))
    x[0, 0], x[1, EVIDENCE] = 0.5, 0.75
    tables.write_features(tmp_path / "F.csv", tables.read_windows(put(tmp_path, "W.csv", WINDOWS)), x)
    text = (tmp_path / "F.csv").read_text()
    with pytest.raises(BadInput, match=message):
        tables.read_features(put(tmp_path, "F.csv", text.replace(old, new, 1)))


def placements(folder: Path) -> tables.PlacementTable:
    scorer = Scorer(read_model(written(folder)), shipped_reference())
    x = np.random.default_rng(5).normal(size=(3, 24))
    x[:, EVIDENCE] = [0.0, np.nan, 123.4]
    return tables.PlacementTable.of(("w1", "w2", "w3"), x, scorer.score(x))


def test_placements_have_a_row_for_each_window_and_dimension(tmp_path: Path) -> None:
    tables.write_placements(tmp_path / "P.csv", placements(tmp_path))
    header, *lines = (tmp_path / "P.csv").read_text().splitlines()
    assert header == "window,model,dimension,p0,p1,p2,low,high,evidence,verdict"
    cells = [line.split(",") for line in lines]
    assert [row[:3] for row in cells[:2]] == [["w1", "house", "making"], ["w1", "house", "joining"]]
    assert [row[5] == "" for row in cells] == [True, False] * 3
    assert [row[6:] for row in cells[::2]] == [
        ["", "", "0.0", "evidence_only"],
        ["", "", "", "evidence_only"],
        ["", "", "123.4", "evidence_only"],
    ]


def test_placements_survive_their_file_to_the_last_bit(tmp_path: Path) -> None:
    made = placements(tmp_path)
    made.low[4:], made.high[4:] = 0, 1
    tables.write_placements(tmp_path / "P.csv", made)
    again = tables.read_placements(tmp_path / "P.csv")
    for name in ("probs", "low", "high", "evidence"):
        np.testing.assert_array_equal(getattr(again, name), getattr(made, name))
    for name in ("window", "model", "dimension", "verdict"):
        assert getattr(again, name) == getattr(made, name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("p1", "p7", "must count from 0"),
        ("evidence_only", "certain", "is no verdict"),
        (",,,0.0,evidence_only", ",1,0,0.0,placed", "are no set"),
        (",,,0.0,evidence_only", ",1,,0.0,placed", "are no set"),
        (",,,0.0,evidence_only", ",0.5,1,0.0,placed", "are no set"),
        (",,,0.0,evidence_only", ",0,9,0.0,placed", "`high` must be a number from 0 to 2"),
        (",,,0.0,evidence_only", ",,,1e308,evidence_only", r"line 2: `evidence` must be .* to 1e\+09"),
        ("w1,", "\u202ew1,", "line 2: `window` .* nobody sees"),
        ("house,", "=house,", "line 2: `model` .* formula"),
    ],
)
def test_hostile_placements_are_refused_in_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    tables.write_placements(tmp_path / "P.csv", placements(tmp_path))
    text = (tmp_path / "P.csv").read_text()
    assert old in text
    with pytest.raises(BadInput, match=message):
        tables.read_placements(put(tmp_path, "P.csv", text.replace(old, new, 1)))
