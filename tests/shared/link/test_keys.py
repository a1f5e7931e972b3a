"""Keys are made once and can be read by their owner only."""

import os
from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.link.keys import KeyPair, fingerprint, load_or_create, make_next, next_pair, promote


def test_a_key_is_made_once_and_found_again(tmp_path: Path) -> None:
    first = load_or_create(tmp_path / "secrets", "link")
    assert load_or_create(tmp_path / "secrets", "link") == first
    assert load_or_create(tmp_path / "secrets", "other") != first


def test_the_secret_file_and_its_folder_are_the_owners_alone(tmp_path: Path) -> None:
    load_or_create(tmp_path / "secrets", "link")
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert [(f.name, f.stat().st_mode & 0o777) for f in (tmp_path / "secrets").iterdir()] == [
        ("link.key", 0o600)
    ]


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_or_create(tmp_path, "link")
    (tmp_path / "link.key").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_or_create(tmp_path, "link")


@pytest.mark.parametrize("content", [b"", b"~" * 40, b"not a key", b"\xff" * 40, b"0" * 41])
def test_a_damaged_key_is_refused_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "link.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="restore it"):
        load_or_create(tmp_path, "link")
    assert path.read_bytes() == content


def test_no_message_shows_the_secret() -> None:
    pair = KeyPair.new()
    assert pair.secret.decode() not in repr(pair)


def test_a_fingerprint_tells_keys_apart_and_can_be_read_aloud() -> None:
    one, other = KeyPair.new().public, KeyPair.new().public
    assert fingerprint(one) == fingerprint(one) != fingerprint(other)
    assert [len(group) for group in fingerprint(one).split("-")] == [4] * 8


def test_the_next_key_lies_beside_the_one_in_force_until_it_takes_its_place(tmp_path: Path) -> None:
    current = load_or_create(tmp_path, "link")
    assert next_pair(tmp_path, "link") is None
    coming = make_next(tmp_path, "link")
    assert make_next(tmp_path, "link") == next_pair(tmp_path, "link") == coming != current
    assert load_or_create(tmp_path, "link") == current
    assert {f.stat().st_mode & 0o777 for f in tmp_path.iterdir()} == {0o600}
    assert promote(tmp_path, "link") == coming
    assert promote(tmp_path, "link") == load_or_create(tmp_path, "link") == coming, "as often as one likes"
    assert next_pair(tmp_path, "link") is None
    assert [f.name for f in tmp_path.iterdir()] == ["link.key"]


def test_a_damaged_next_key_leaves_the_one_in_force_alone(tmp_path: Path) -> None:
    current = load_or_create(tmp_path, "link")
    damaged = tmp_path / "link.next.key"
    damaged.write_bytes(b"not a key")
    damaged.chmod(0o600)
    with pytest.raises(SettingsError, match="restore it"):
        next_pair(tmp_path, "link")
    assert load_or_create(tmp_path, "link") == current


def test_looking_for_a_next_key_while_it_takes_its_place_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_or_create(tmp_path, "link")
    coming = make_next(tmp_path, "link")
    stat = Path.stat
    promoted: list[bool] = []

    def found(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        result = stat(path, follow_symlinks=follow_symlinks)
        if path.name == "link.next.key" and not promoted:
            promoted.append(True)
            promote(tmp_path, "link")
        return result

    monkeypatch.setattr(Path, "stat", found)
    assert next_pair(tmp_path, "link") is None
    assert promoted
    assert [file.name for file in tmp_path.iterdir()] == ["link.key"]
    assert load_or_create(tmp_path, "link") == coming
