"""A backup holds what another machine needs, nothing that tells devices apart; a spoilt one is refused."""

import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO, cast

import pytest

from edge_agent.paths import AgentFolder
from edge_agent.setup import archive, passphrase, snapshot
from edge_agent.store.schema import MIGRATIONS
from shared.errors import UsageError
from shared.storage import connect, migrate
from tests.edge_agent.backpressure import DURING, RunningAgent, leases, look_ups
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.edge_agent.test_cli import agent, assert_refused
from tests.edge_agent.test_schema import recorded
from tests.hub.agents import until

WORD = "correct horse"


@pytest.fixture
def folder(tmp_path: Path) -> AgentFolder:
    return make_school(tmp_path / "school", SchoolSpec([ClassSpec("c1", "t1", learners(2))]))


@pytest.fixture
def word(tmp_path: Path) -> Path:
    file = tmp_path / "word"
    file.write_text(WORD + "\n")
    return file


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_folder_comes_back_with_its_keys_settings_and_models_and_without_the_keys_of_days(
    tmp_path: Path, folder: AgentFolder
) -> None:
    folder.models.mkdir()
    (folder.models / "own.toml").write_text("id = 'own'")
    (folder.root / "catalogue.toml").write_text("background = ['castle.example']")
    (folder.root / "district-catalogue.json").write_bytes(b"{}")
    folder.day_keys.mkdir()
    (folder.day_keys / "2026-09-14.key").write_bytes(b"k" * 32)
    done = agent("backup", str(folder.root), str(tmp_path / "b"))
    assert done.returncode == 0, done.stderr
    assert "input/inventory.csv, input/oneroster, input/bells.csv" in done.stdout
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    done = agent("restore", str(tmp_path / "b"), str(tmp_path / "new"))
    assert done.returncode == 0 and "MUST NOT RUN" in done.stdout and "input/inventory.csv" in done.stdout
    expected = {
        name: data
        for name, data in tree(folder.root).items()
        if not name.startswith("input/") and "day-keys" not in name
    }
    assert tree(tmp_path / "new") == expected
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "new").rglob("*")}
    assert modes == {0} and (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_backup_that_is_asked_to_holds_the_schools_files_too_and_is_read_with_its_passphrase_alone(
    tmp_path: Path, folder: AgentFolder, word: Path
) -> None:
    file = tmp_path / "b"
    done = agent("backup", str(folder.root), str(file), "--with-input", "--passphrase", str(word))
    assert done.returncode == 0, done.stderr
    assert b"SERA0001" not in file.read_bytes() and b"agent.toml" not in file.read_bytes()
    new = tmp_path / "new"
    assert_refused(agent("restore", str(file), str(new)), 2, "--passphrase")
    wrong = tmp_path / "wrong"
    wrong.write_text("another")
    assert_refused(agent("restore", str(file), str(new), "--passphrase", str(wrong)), 2, "does not open")
    assert not new.exists()
    assert agent("restore", str(file), str(new), "--passphrase", str(word)).returncode == 0
    assert tree(new / "input") == tree(folder.root / "input")


def test_nothing_that_tells_devices_apart_is_in_a_backup_of_an_agent_that_runs(tmp_path: Path) -> None:
    school = RunningAgent(tmp_path / "school", tmp_path / "log", "free_mib = 1")
    school.log.write_text(leases() + look_ups(0, 500))
    school.set_clock(DURING)
    with school.running():
        until(lambda: school.source()["state"] == "up to date")
        until(lambda: school.status()["signals"] == 500)
        with closing(sqlite3.connect(school.folder.database)) as live:
            devices = {device for (device,) in live.execute("SELECT DISTINCT device FROM heard")}
        given_up = snapshot.take(school.folder.database, tmp_path / "copy.db")
    assert len(devices) == 12 and given_up == 1
    data = (tmp_path / "copy.db").read_bytes()
    for device in devices:
        assert device.to_bytes(8, "big", signed=True) not in data
        assert device.to_bytes(8, "little", signed=True) not in data
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        tables = [name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        held = {
            name: copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 - the file's own names
            for name in tables
            if "device" in {row[1] for row in copy.execute(f"PRAGMA table_info({name})")} or name == "batches"
        }
        assert "heard" in held and set(held.values()) == {0}
        assert copy.execute("SELECT count(*) FROM day_keys").fetchone() == (0,)
        assert copy.execute("SELECT bytes FROM stored").fetchone() == (0,)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_store_of_every_earlier_version_can_be_copied_and_opens_in_this_one(
    tmp_path: Path, version: int
) -> None:
    recorded(tmp_path / "old.db", MIGRATIONS[:version]).close()
    snapshot.take(tmp_path / "old.db", tmp_path / "copy.db")
    copy = connect(tmp_path / "copy.db")
    migrate(copy, MIGRATIONS)
    assert copy.execute("SELECT count(*) FROM disclosures").fetchone()[0] > 0
    copy.close()


def test_a_folder_that_is_used_and_a_file_that_is_no_backup_are_refused_and_nothing_is_left(
    tmp_path: Path, folder: AgentFolder
) -> None:
    file = tmp_path / "b"
    assert agent("backup", str(folder.root), str(file)).returncode == 0
    assert_refused(agent("restore", str(file), str(folder.root)), 2, "not empty")
    before = sorted(path.name for path in tmp_path.iterdir())
    (tmp_path / "b").write_bytes(b"no tar at all" * 100)
    assert_refused(agent("restore", str(file), str(tmp_path / "new")), 2, "backup")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def archived(tmp_path: Path) -> bytes:
    (tmp_path / "a").write_bytes(b"a" * 70_000)
    (tmp_path / "b").write_bytes(b"")
    files = {"a": tmp_path / "a", "deep/b": tmp_path / "b"}
    entries = tuple(archive.kept(name, path) for name, path in files.items())
    manifest = archive.Manifest(1, "0", "S", "2026-09-14T07:00:00Z", 0, entries)
    out = io.BytesIO()
    archive.write(out, manifest, files)
    return out.getvalue()


def repacked(
    data: bytes, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]
) -> bytes:
    """The archive with each member changed, or left out."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(data)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old:
            file = old.extractfile(member)
            changed = change(member, file.read() if file else b"")
            if changed is not None:
                changed[0].size = len(changed[1])
                new.addfile(changed[0], io.BytesIO(changed[1]))
    return out.getvalue()


def with_path(path: str) -> Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes]]:
    """Manifest and member speak of another path."""

    def change(member: tarfile.TarInfo, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if member.name == "manifest.json":
            said = json.loads(data)
            said["files"][0]["path"] = path
            return member, json.dumps(said).encode()
        if member.name == "files/a":
            member.name = f"files/{path}"
        return member, data

    return change


def as_link(member: tarfile.TarInfo, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    if member.name == "files/a":
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        return member, b""
    return member, data


HOSTILE: dict[str, Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]] = {
    "a path upwards": with_path("../a"),
    "a path of the whole machine": with_path("/tmp/a"),
    "a path with a step upwards inside": with_path("x/../../a"),
    "a file twice": with_path("deep/b"),
    "a link": as_link,
    "other bytes": lambda member, data: (member, data.replace(b"aaaa", b"aaab")),
    "a file too few": lambda member, data: None if member.name == "files/deep/b" else (member, data),
    "no manifest": lambda member, data: None if member.name == "manifest.json" else (member, data),
    "another format": lambda member, data: (member, data.replace(b'"format":1', b'"format":2')),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_an_archive_that_was_changed_is_refused_and_writes_nothing_outside(tmp_path: Path, how: str) -> None:
    data = archived(tmp_path)
    target = tmp_path / "inner" / "target"
    target.mkdir(parents=True)
    with pytest.raises(UsageError):
        archive.read(io.BytesIO(repacked(data, HOSTILE[how])), target)
    assert [path.name for path in (tmp_path / "inner").iterdir()] == ["target"]
    shutil.rmtree(target)
    target.mkdir()
    archive.read(io.BytesIO(repacked(data, lambda member, content: (member, content))), target)
    assert (target / "a").read_bytes() == b"a" * 70_000 and (target / "deep" / "b").read_bytes() == b""


@pytest.mark.parametrize("size", [600, 5_000, 40_000, 71_000])
def test_an_archive_that_was_cut_off_is_refused(tmp_path: Path, size: int) -> None:
    data = archived(tmp_path)
    assert len(data) > size
    (tmp_path / "t").mkdir()
    with pytest.raises(UsageError):
        archive.read(io.BytesIO(data[:size]), tmp_path / "t")


@pytest.mark.parametrize("size", [0, 1, passphrase.BLOCK, passphrase.BLOCK + 1, 3 * passphrase.BLOCK])
def test_what_is_sealed_comes_back_and_any_change_or_cut_is_found(size: int) -> None:
    plain = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    out = io.BytesIO()
    sealing = passphrase.Sealing(out, WORD)
    sealing.write(plain)
    sealing.finish()
    data = out.getvalue()

    def opened(sealed: bytes) -> bytes:
        source = io.BytesIO(sealed)
        assert source.read(len(passphrase.MAGIC)) == passphrase.MAGIC
        return cast("IO[bytes]", passphrase.Opening(source, WORD)).read()

    assert opened(data) == plain
    start = len(passphrase.MAGIC)
    for at in (start, start + 20, len(data) - 1, len(data) - 18, start + 44):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(UsageError):
            opened(bytes(changed))
    for cut in (start + 3, start + 40, len(data) - 1):
        with pytest.raises(UsageError):
            opened(data[:cut])


def hostile(entries: list[tuple[archive.Kept, tarfile.TarInfo, bytes]]) -> io.BytesIO:
    """A backup with these files, as somebody might have made it by hand."""
    made = io.BytesIO()
    manifest = archive.Manifest(archive.FORMAT, "1", "T", "now", 0, tuple(entry for entry, _, _ in entries))
    said = json.dumps(
        {
            "format": manifest.format,
            "program": "1",
            "school": "T",
            "made": "now",
            "lessons_given_up": 0,
            "files": [{"path": one.path, "size": one.size, "sha256": one.sha256} for one in manifest.files],
        }
    ).encode()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        head = tarfile.TarInfo(archive.MANIFEST)
        head.size = len(said)
        tar.addfile(head, io.BytesIO(said))
        for _, member, data in entries:
            tar.addfile(member, io.BytesIO(data))
    made.seek(0)
    return made


def test_a_backup_that_claims_more_than_it_has_writes_nothing_of_it(tmp_path: Path) -> None:
    claimed = 8 << 30
    member = tarfile.TarInfo("files/agent.db")
    member.size = 1024
    member.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": f"0,512,{claimed - 512},512",
        "GNU.sparse.size": str(claimed),
        "GNU.sparse.name": "files/agent.db",
    }
    entry = archive.Kept("agent.db", claimed, "0" * 64)
    with pytest.raises(UsageError, match="spoilt"):
        archive.read(hostile([(entry, member, b"x" * 1024)]), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/" * 600 + "b", "c"), ("n" * 400, "c")])
def test_paths_that_no_folder_can_hold_are_a_spoilt_backup(tmp_path: Path, paths: tuple[str, str]) -> None:
    entries = []
    for path in paths:
        member = tarfile.TarInfo(f"files/{path}")
        entries.append((archive.Kept(path, 0, hashlib.sha256().hexdigest()), member, b""))
    with pytest.raises(UsageError, match="spoilt"):
        archive.read(hostile(entries), tmp_path)
