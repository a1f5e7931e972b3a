"""Files are written whole or not at all, and what was there before stays until then."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.errors import UsageError
from shared.files import replace, replacing, replacing_text
from shared.plain import is_plain, plain


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    former = os.umask(0o022)
    yield os.umask
    os.umask(former)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_holds_what_was_written_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "FIT.json"
    for data in (b"a long first content", b"second", b""):
        replace(path, data)
        assert path.read_bytes() == data
    with replacing_text(path) as file:
        file.write("línea\r\n")
        file.write("y\n")
    assert path.read_bytes() == "línea\r\ny\n".encode()
    assert names(tmp_path) == ["FIT.json"]


def test_until_the_end_a_reader_finds_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "P.csv"
    path.write_text("former")
    with replacing(path) as file:
        file.write(b"x" * 1_000_000)
        file.flush()
        assert path.read_text() == "former"
    assert path.stat().st_size == 1_000_000


@pytest.mark.parametrize("error", [ValueError("a fault"), KeyboardInterrupt()])
def test_whatever_ends_the_writing_early_leaves_the_former_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "P.csv"
    path.write_text("former")
    with pytest.raises(type(error)), replacing_text(path) as file:
        file.write("half")
        raise error
    assert path.read_text() == "former"
    assert names(tmp_path) == ["P.csv"]


FULL = """
import resource, sys
from pathlib import Path
from shared.errors import UsageError
from shared.files import replace, replacing_text
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
try:
    if sys.argv[1] == "bytes":
        replace(Path("FIT.json"), bytes(100_000))
    else:
        with replacing_text(Path("FIT.json")) as file:
            for _ in range(100_000):
                file.write("line\\n")
except UsageError as error:
    print(error)
"""


@pytest.mark.parametrize("how", ["bytes", "text"])
def test_a_disk_that_takes_no_more_leaves_the_former_file_and_nothing_else(tmp_path: Path, how: str) -> None:
    (tmp_path / "FIT.json").write_text("former")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", FULL, how],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "FIT.json cannot be written (File too large): choose another place\n"
    assert done.stderr == ""
    assert (tmp_path / "FIT.json").read_text() == "former"
    assert names(tmp_path) == ["FIT.json"]


def test_a_place_that_cannot_be_written_is_bad_usage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    for path in (
        tmp_path,
        tmp_path / "no" / "F",
        tmp_path / "file" / "F",
        tmp_path / "loop",
        tmp_path / ("x" * 300),
    ):
        with pytest.raises(UsageError, match=r"cannot be written \(.+\): choose another place") as caught:
            replace(path, b"data")
        assert caught.value.exit_code == 2
    assert names(tmp_path) == ["file", "loop"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_file_or_folder_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "F").write_text("former")
    (folder / "F").chmod(0o444)
    with pytest.raises(UsageError, match="read-only"):
        replace(folder / "F", b"data")
    folder.chmod(0o555)
    with pytest.raises(UsageError, match="cannot be written"):
        replace(folder / "G", b"data")
    folder.chmod(0o755)
    assert (folder / "F").read_text() == "former"


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path, umask: Callable[[int], int]) -> None:
    for mask, wanted in ((0o022, 0o644), (0o077, 0o600), (0o002, 0o664)):
        umask(mask)
        replace(tmp_path / f"{mask}", b"")
        assert mode(tmp_path / f"{mask}") == wanted


def test_an_existing_file_keeps_its_permissions(tmp_path: Path, umask: Callable[[int], int]) -> None:
    path = tmp_path / "F"
    umask(0o022)
    for wanted in (0o600, 0o666, 0o640, 0o755):
        path.touch()
        path.chmod(wanted)
        replace(path, b"data")
        assert mode(path) == wanted


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for name in ("old", "new"):
        (tmp_path / name).symlink_to(Path("there") / name)
    (tmp_path / "there" / "old").write_text("former")
    for name in ("old", "new"):
        replace(tmp_path / name, b"data")
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / "there" / name).read_bytes() == b"data"
    assert names(tmp_path) == ["new", "old", "there"]
    assert names(tmp_path / "there") == ["new", "old"]


def test_a_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(path.read_bytes()))
    reader.start()
    replace(path, b"data")
    reader.join()
    assert found == [b"data"]
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert names(tmp_path) == ["pipe"]


def test_what_goes_to_an_open_file_reaches_whoever_holds_it(tmp_path: Path) -> None:
    with (tmp_path / "held").open("w+b") as held:
        replace(Path(f"/dev/fd/{held.fileno()}"), b"data")
        assert held.read() == b"data"
    assert names(tmp_path) == ["held"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_device_that_is_full_says_so_and_stays_a_device() -> None:
    path = Path("/dev/full")
    line = r"^/dev/full cannot be written \(No space left on device\): choose another place$"
    with pytest.raises(UsageError, match=line):
        replace(path, b"data")
    with pytest.raises(UsageError, match=line), replacing_text(path) as file:
        file.write("data")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\nb", "\r", "\x7f", "\x9b", "\u202e", "\u2028", "\ufeff", "\ue000"]
)
def test_what_cannot_be_shown_as_it_is_is_spelled_out(text: str) -> None:
    assert not is_plain(text)
    assert plain(f"é{text}") == "é" + text.encode("unicode_escape").decode()
    assert is_plain(plain(text))


@pytest.mark.parametrize("text", ["", "Søster Ågot", "क्‍ष", "a\xa0b", "校 7"])
def test_ordinary_writing_is_shown_as_it_is(text: str) -> None:
    assert is_plain(text)
    assert plain(text) == text
