"""A new file has its content on the disk before its name, and its name before anybody builds on it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.files import replace
from shared.link import keys, outbox
from shared.settings import write_secret
from shared.storage import Writer


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """What was synced by the program itself, in order, under the name it had at that moment."""
    found: list[Path] = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        found.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    yield found


def test_a_replaced_file_is_synced_before_it_takes_its_name_and_its_folder_after(
    tmp_path: Path, synced: list[Path]
) -> None:
    replace(tmp_path / "hub.toml", b"address")
    draft, folder = synced
    assert draft.parent == tmp_path and draft.name.endswith(".part")
    assert folder == tmp_path


def test_a_secret_and_its_name_are_on_the_disk(tmp_path: Path, synced: list[Path]) -> None:
    write_secret(tmp_path / "password", b"secret")
    assert synced == [tmp_path / "password", tmp_path]


def test_a_key_s_own_name_is_synced_not_only_its_draft_s(tmp_path: Path, synced: list[Path]) -> None:
    keys.load_or_create(tmp_path / "secrets", "agent")
    assert synced[-1] == tmp_path / "secrets"
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["agent.key"]
    del synced[:]
    keys.load_or_create(tmp_path / "secrets", "agent")
    assert synced == []


def test_a_database_s_name_is_on_the_disk_before_anything_is_written_to_it(
    tmp_path: Path, synced: list[Path]
) -> None:
    Writer(tmp_path / "agent.db", [outbox.create_tables]).close()
    assert synced == [tmp_path]
