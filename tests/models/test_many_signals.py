"""Files of signals larger than memory: the same features however the rows stand, and bounded memory."""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from models import csv_lines, tables
from models.catalogue.load import load_catalogue
from models.cli import app
from models.features.compute import Signals, compute_features
from models.tables import many
from models.tables.tokens import numbered
from models.tables.words import Odd, Vocabulary, joined_words, mixed
from shared.errors import BadInput, UsageError
from shared.words import ACTION_NAMES

HEADER = "window,t,device,app,action,amount"
WINDOWS = "window,school,start,end,expected,sources\n" + "".join(
    f"{window},Alder,{start},{start + 900},9,dnsmasq;xapi\n"
    for window, start in (("w1", 1000), ("w2", 2000), ("a much longer window", 3000), ("w4", 4000))
)
STARTS = {"w1": 1000, "w2": 2000, "a much longer window": 3000, "w4": 4000}
APPS = ("", "kahoot", "book_creator")

lawful = settings(
    derandomize=True,
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

Row = tuple[str, int, str, str, str, str]

plain_tokens = st.text("abc-19", min_size=1, max_size=20)
amounts = st.sampled_from(
    ["", "0", "0.0", "12.5", "30", ".5", "5.", "007", "1e2", "1800.25", "-0"]
) | st.floats(1, 3600).map(repr)


def rows_of(tokens: st.SearchStrategy[str]) -> st.SearchStrategy[list[Row]]:
    """Some signals, a few of them outside their window."""

    def row(window: str, second: int, token: str, app: str, action: str, amount: str) -> Row:
        return window, STARTS[window] + second, token, app, action, amount

    one = st.builds(
        row,
        st.sampled_from(list(STARTS)),
        st.integers(-20, 930),
        tokens,
        st.sampled_from(APPS),
        st.sampled_from(ACTION_NAMES),
        amounts,
    )
    return st.lists(one, max_size=60)


def written(rows: list[Row], **form: object) -> str:
    """The rows as Python's csv writes them."""
    out = io.StringIO()
    writer = csv.writer(out, **{"lineterminator": "\n", **form})  # type: ignore[arg-type]
    writer.writerow(HEADER.split(","))
    writer.writerows(rows)
    return out.getvalue()


def computed(folder: Path, text: str | bytes) -> bytes:
    """F.csv as `features` writes it."""
    (folder / "W.csv").write_text(WINDOWS)
    (folder / "S.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    args = ["features", *(str(folder / "S.csv"), "--windows", str(folder / "W.csv"))]
    result = CliRunner().invoke(app, [*args, "--out", str(folder / "F.csv")])
    assert result.exit_code == 0, result.output
    return (folder / "F.csv").read_bytes()


def expected(folder: Path, rows: list[Row]) -> bytes:
    """F.csv of the same rows without reading a file of signals: columns of all of them at once."""
    known = load_catalogue()
    tokens = sorted({row[2] for row in rows})
    signals = Signals(
        window=np.array([list(STARTS).index(row[0]) for row in rows], np.int32),
        t=np.array([row[1] for row in rows], np.int64),
        device=np.array([tokens.index(row[2]) for row in rows], np.uint64),
        app=np.array([known.by_id.get(row[3], 0) for row in rows], np.int32),
        action=np.array([ACTION_NAMES.index(row[4]) for row in rows], np.uint8),
        amount=np.array([float(row[5] or 0) for row in rows], np.float64),
    )
    (folder / "W.csv").write_text(WINDOWS)
    listed = tables.read_windows(folder / "W.csv")
    x = compute_features(signals, listed.columns, known.channel_weights(), known.off_task())
    tables.write_features(folder / "E.csv", listed, x)
    return (folder / "E.csv").read_bytes()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few lines, runs of a few rows, batches of one window or two, windows grouped in pairs."""
    monkeypatch.setattr(csv_lines, "_BYTES_AT_ONCE", 256)
    monkeypatch.setattr(many, "_RUN_BYTES", 400)
    monkeypatch.setattr(many, "_BATCH_BYTES", 700)
    monkeypatch.setattr(many, "_MOST_GROUPS", 2)


@pytest.mark.usefixtures("small")
@lawful
@given(rows=rows_of(plain_tokens), data=st.data())
def test_neither_the_order_nor_the_splitting_of_rows_changes_a_byte(
    tmp_path: Path, rows: list[Row], data: st.DataObject
) -> None:
    first = computed(tmp_path, written(rows))
    assert first == expected(tmp_path, rows)
    assert computed(tmp_path, written(data.draw(st.permutations(rows)))) == first


@pytest.mark.usefixtures("small")
@lawful
@given(rows=rows_of(plain_tokens | st.text("ab,\"'é𝄞 ;", min_size=1, max_size=30)))
def test_texts_that_need_care_give_the_same_features_as_plain_ones(tmp_path: Path, rows: list[Row]) -> None:
    assert computed(tmp_path, written(rows)) == expected(tmp_path, rows)


@pytest.mark.parametrize(
    "form",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\n\n\r\n"),
        lambda text: text.removesuffix("\n"),
        lambda text: text.removesuffix("\n").replace("\n", "\r\n"),
        lambda text: text.replace(",,", ',"",'),
        lambda text: "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in text.split()),
        lambda text: text.replace("ipad-1,", '"ipad-1",').replace("\n", "\r\n"),
    ],
    ids=["crlf", "cr", "mark", "blank lines", "no last line end", "neither", "blanks", "all quoted", "mixed"],
)
@pytest.mark.parametrize("block", [64, 1 << 20])
def test_the_form_of_the_file_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Callable[[str], str], block: int
) -> None:
    rng = np.random.default_rng(5)
    rows: list[Row] = [
        (
            name,
            STARTS[name] + int(rng.integers(900)),
            f"ipad-{rng.integers(9)}",
            "kahoot" if i % 3 else "",
            act,
            "7.5",
        )
        for i in range(40)
        for name, act in (("w1", "contact"), ("w4", "create"))
    ]
    monkeypatch.setattr(csv_lines, "_BYTES_AT_ONCE", block)
    assert computed(tmp_path, form(written(rows))) == expected(tmp_path, rows)


@lawful
@given(rows=rows_of(plain_tokens))
def test_the_fast_way_reads_what_the_careful_one_reads(tmp_path: Path, rows: list[Row]) -> None:
    (tmp_path / "W.csv").write_text(WINDOWS)
    listed = tables.read_windows(tmp_path / "W.csv")
    careful: Row = ("w1", 1000, "one, that needs care", "", "contact", "")
    found = []
    for number, extra in enumerate([[], [careful]]):
        path = tmp_path / f"S{number}.csv"
        path.write_text(written(rows + extra))
        found.append(tables.read_signals(path, listed, load_catalogue().by_id))
    plain, both = found
    for name in ("window", "t", "app", "action", "amount"):
        one, other = getattr(plain, name), getattr(both, name)
        assert one.dtype == other.dtype
        assert one.tobytes() == other[: len(one)].tobytes()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("w1,1000,x,,contact", "5 cells where the header names 6 columns"),
        ("w1,1000,x,,contact,,", "7 cells"),
        ("w1,4294967296,x,,contact,", "`t` must be a whole number"),
        ("w1,1:00,x,,contact,", "`t` must be a whole number"),
        ("w1,1000,,,contact,", "`device` must have 1 to 200 characters"),
        ("w1,1000,x,kahoo,contact,", "did you mean `kahoot`"),
        ("w1,1000,x\x1b,,contact,", "`device` holds a control character"),
        ("w1,1000,x,,contact,1.5.5", "`amount` must be a number"),
        ("w1,1000,x,,contact,1_0", "`amount` must be a number"),
        ("w1,1000,x,,contact,.", "`amount` must be a number"),
        ("w1,1000,x,,contact,3600.5", "`amount` must be a number from 0 to 3600"),
        ("w9,1000,x,,contact,", "`window` 'w9' is no window"),
        ('w1,1000,"x"y,,contact,', "',' expected"),
        ("w1,1000,x\0,,contact,", "a byte 0"),
        ("x" * 2000, "longer than 256 bytes"),
    ],
)
def test_a_fault_far_down_is_named_with_its_line_and_leaves_nothing_behind(
    tmp_path: Path, line: str, message: str
) -> None:
    good = "w1,1001,ipad-1,kahoot,contact,\n"
    text = f'{HEADER}\n{good * 40}\n"w1",1002,"x, y",,view,"\n3"\n{good * 60}{line}\n{good}'
    (tmp_path / "S.csv").write_text(text)
    (tmp_path / "W.csv").write_text(WINDOWS)
    args = ["features", *(str(tmp_path / "S.csv"), "--windows", str(tmp_path / "W.csv"))]
    error = CliRunner().invoke(app, [*args, "--out", str(tmp_path / "F.csv")]).exception
    assert isinstance(error, BadInput)
    assert f"S.csv, line {text[: text.index(line)].count(chr(10)) + 1}: " in str(error)
    assert message in str(error)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["S.csv", "W.csv"]


def test_a_pipe_can_be_read_too_and_its_lines_are_named(tmp_path: Path) -> None:
    (tmp_path / "W.csv").write_text(WINDOWS)
    listed = tables.read_windows(tmp_path / "W.csv")
    source, sink = os.pipe()
    with os.fdopen(sink, "wb") as file:
        file.write(f"{HEADER}\nw1,1000,x,,contact,\nw1,1000,x,,contract,\n".encode())
    with os.fdopen(source), pytest.raises(BadInput, match=r"line 3: `action` 'contract'.*`contact`"):
        tables.read_signals(Path(f"/dev/fd/{source}"), listed, {})


@lawful
@given(st.lists(st.text(min_size=1, max_size=40).filter(lambda text: "\0" not in text), max_size=30))
def test_devices_are_numbered_in_the_order_of_their_texts(texts: list[str]) -> None:
    parts = [joined_words([text.encode() for text in part]) for part in (texts[:9], texts[9:])]
    numbers = numbered(parts).tolist()
    order = sorted(set(texts))
    assert [sorted(set(numbers)).index(number) for number in numbers] == [order.index(text) for text in texts]


def test_tokens_chosen_to_collide_stay_apart() -> None:
    """The hash is a sum over words of steps that can be undone, so that pairs of equal sums are found."""
    multiplier = [pow(0x9E3779B97F4A7C15, 2 * i + 1, 1 << 64) for i in (0, 1)]

    def step(word: int, i: int) -> int:
        folded = (word ^ (word >> 32)) * multiplier[i] % 2**64
        return folded ^ (folded >> 29)

    def undone(number: int, i: int) -> int:
        folded = number ^ (number >> 29) ^ (number >> 58)
        word = folded * pow(multiplier[i], -1, 1 << 64) % 2**64
        return word ^ (word >> 32)

    total = (step(1, 0) + step(2, 1)) % 2**64
    pairs = [(first, undone((total - step(first, 0)) % 2**64, 1)) for first in range(1, 50)]
    words = np.array(pairs * 2, np.uint64)
    assert len(set(mixed(list(words.T)).tolist())) == 1
    first_bytes = [np.array(pair, "<u8").tobytes() for pair in pairs]
    order = sorted(first_bytes)
    assert numbered([words[:60], words[60:]]).tolist() == [order.index(text) for text in first_bytes] * 2


def test_a_vocabulary_finds_all_its_texts_and_no_other() -> None:
    names = {f"{'lesson-' * (i % 4)}{i}": 7 * i for i in range(5000)} | {"": 3}
    known = Vocabulary(names)
    texts = joined_words([name.encode() for name in names])
    assert known.find(list(texts.T)).tolist() == list(names.values())
    assert known.find([texts[:1, 0]]).tolist() == [0]
    for other in ("lesson-", "5000", "0" * 90):
        with pytest.raises(Odd):
            known.find(list(joined_words([other.encode()]).T))


LIMITED = """
import resource
from commonground import main
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
main()
"""


def test_a_disk_that_takes_no_more_is_one_clear_line_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "W.csv").write_text(WINDOWS)
    (tmp_path / "S.csv").write_text(written([("w1", 1000, "x", "kahoot", "view", "")] * 5000))
    args = ["models", "features", "S.csv", "--windows", "W.csv", "--out", "F.csv"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *args], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the signals cannot be sorted in ")
    assert line.endswith("make room there")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["S.csv", "W.csv"]


def test_a_result_that_could_not_be_written_is_known_before_the_signals_are_read(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="cannot be written"),
        tables.sorted_signals(4, tmp_path / "none" / "F.csv"),
    ):
        pass


def test_signals_and_windows_are_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "W.csv").write_text(WINDOWS)
    (tmp_path / "S.csv").write_text(HEADER)
    (tmp_path / "link.csv").symlink_to("S.csv")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "W.csv")
    args = ["features", str(tmp_path / "S.csv"), "--windows", str(tmp_path / "W.csv"), "--out"]
    for name in ("S.csv", "W.csv", "link.csv", "hard.csv"):
        error = CliRunner().invoke(app, [*args, str(tmp_path / name)]).exception
        assert isinstance(error, UsageError)
        assert str(error) == "`--out` is the file to be read: choose another name"
    assert (tmp_path / "W.csv").read_text() == WINDOWS
    assert (tmp_path / "S.csv").read_text() == HEADER


MEASURED = """
import sys
from pathlib import Path
from commonground import main
try:
    main()
finally:
    status = Path("/proc/self/status").read_text()
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Ten times the rows, every window's scattered over the whole file: 150,000 and 1,500,000."""
    windows, each = 3000, 50
    table = (f"lesson-{i},Alder,{i * 1000},{i * 1000 + 900},9,dnsmasq\n" for i in range(windows))
    (tmp_path / "W.csv").write_text("window,school,start,end,expected,sources\n" + "".join(table))
    rows = (
        f"lesson-{i},{i * 1000 + k * 17},tablet-{i:04}-{k % 9},kahoot,contact,{k % 3}\n"
        for k in range(each)
        for i in range(windows)
    )
    part = "".join(rows)
    peak = []
    for times in (1, 10):
        with (tmp_path / "S.csv").open("w") as file:
            file.write(f"{HEADER}\n")
            for _ in range(times):
                file.write(part)
        args = ["models", "features", "S.csv", "--windows", "W.csv", "--out", "F.csv"]
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, *args], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert f"3000 windows from {times * windows * each} signals" in done.stderr
        peak.append(int(done.stdout.split()[-1]) / 1024)
    assert peak[1] < 400
    assert peak[1] - peak[0] < 80, f"MiB: {peak}"
