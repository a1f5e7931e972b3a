"""Whom a sender joined is kept whole, follows that one's keys, and is checked before it is used."""

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.link import keys
from shared.link.keys import KeyPair
from shared.link.peer_file import Peer, PeerFile

ONE, TWO = KeyPair.new().public, KeyPair.new().public
WHERE = "tcp://hub.example:5710"


@pytest.fixture
def file(tmp_path: Path) -> PeerFile:
    return PeerFile(tmp_path / "hub.toml", "The district's hub.")


def test_it_comes_back_as_it_was_written(file: PeerFile) -> None:
    assert file.load() is None
    file.write(Peer(WHERE, ONE))
    assert file.load() == Peer(WHERE, ONE)
    assert file.path.read_text().startswith("# The district's hub.\naddress = ")


def test_it_follows_a_key_from_its_announcement_until_it_is_in_force(file: PeerFile) -> None:
    file.announced(TWO)
    assert file.load() is None, "nobody was joined"
    file.write(Peer(WHERE, ONE))
    file.announced(TWO)
    known = file.load()
    assert known is not None and known.public_keys == (ONE, TWO)
    file.announced("")
    assert file.load() == Peer(WHERE, ONE), "taken back"
    file.announced(TWO)
    file.proven(TWO)
    assert file.load() == Peer(WHERE, TWO)


@pytest.mark.parametrize("key", ["short", ONE[:-1], ONE + "0", "~" * 40, "#" * 40, "é" * 40])
@pytest.mark.parametrize("which", ["public_key", "next_public_key"])
def test_a_key_that_is_none_is_named_with_its_file(file: PeerFile, key: str, which: str) -> None:
    found = {"public_key": ONE, which: key}
    file.write(Peer(WHERE, **found))
    with pytest.raises(SettingsError, match=r"hub\.toml: a key has 40 characters"):
        file.load()


def test_an_address_that_is_none_is_named_with_its_file(file: PeerFile) -> None:
    file.write(Peer("hub.example", ONE))
    with pytest.raises(SettingsError, match=r"hub\.toml: `hub\.example` is no link address"):
        file.load()


def test_both_pairs_are_there_while_a_key_changes_and_only_that_one_is_promoted(tmp_path: Path) -> None:
    own = keys.pairs(tmp_path, "agent")
    following = keys.make_next(tmp_path, "agent")
    assert keys.pairs(tmp_path, "agent") == (*own, following)
    assert not keys.promote_if(tmp_path, "agent", KeyPair.new())
    assert keys.promote_if(tmp_path, "agent", following)
    assert keys.pairs(tmp_path, "agent") == (following,)
    assert not keys.promote_if(tmp_path, "agent", following), "twice is once"
