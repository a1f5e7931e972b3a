"""An invitation works once, in time, whole, and for one key."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput, SettingsError, UsageError
from shared.link import invitations
from shared.link.invitations import Token, decode, encode
from shared.link.keys import KeyPair
from tests.shared.link.world import memory

PUBLIC = KeyPair.new().public
TOKEN = Token("tcp://hub.example:5710", PUBLIC, bytes(range(24)), 1_800_000_000)


@pytest.fixture
def disk() -> sqlite3.Connection:
    return memory(invitations.create_tables)


def invite(disk: sqlite3.Connection, label: str = "Alder", now: float = 1000.0) -> Token:
    return decode(
        invitations.create(
            disk,
            address="tcp://127.0.0.1:5710",
            server_public=PUBLIC,
            label=label,
            now=now,
            lifetime=600,
            note="simulated",
        )
    )


def test_a_token_says_what_was_put_in_it() -> None:
    assert decode(encode(TOKEN)) == TOKEN


def test_a_token_survives_wrapping_and_blanks_around_it() -> None:
    text = encode(TOKEN)
    assert decode(f"  {text[:50]}\n {text[50:]}\r\n") == TOKEN


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.integers(0, len(encode(TOKEN)) - 1), st.sampled_from("abcXYZ019_-.!= "))
def test_an_altered_token_is_refused_with_one_line(at: int, letter: str) -> None:
    text = encode(TOKEN)
    altered = text[:at] + letter + text[at + 1 :]
    if altered == text:
        return
    with pytest.raises(UsageError) as error:
        decode(altered)
    assert "\n" not in str(error.value)
    assert "new invitation" in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "cg1.", "cg2." + "A" * 100, "cg1." + "A" * 100, "A" * 10_000, "\x00\ud800", "é" * 90],
)
def test_what_is_no_token_is_refused_with_one_line(text: str) -> None:
    with pytest.raises(UsageError) as error:
        decode(text)
    assert len(str(error.value)) < 120


@pytest.mark.parametrize(
    "token",
    [
        Token("file:///etc/passwd", PUBLIC, bytes(24), 1),
        Token("tcp://hub:0", PUBLIC, bytes(24), 1),
        Token("tcp://hub:5710", "short", bytes(24), 1),
        Token("tcp://hub:5710", PUBLIC, b"", 1),
    ],
    ids=["scheme", "port", "key", "secret"],
)
def test_a_token_that_is_whole_but_senseless_is_refused(token: Token) -> None:
    with pytest.raises(UsageError):
        decode(encode(token))


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.text(max_size=300) | st.from_regex(r"cg1\.[A-Za-z0-9_-]{60,200}", fullmatch=True))
def test_hostile_text_is_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(UsageError):
        decode(text)


def test_an_invitation_works_once_and_for_one_key(disk: sqlite3.Connection) -> None:
    secret = invite(disk).secret
    assert invitations.any_open(disk, 1001)
    spent = invitations.spend(disk, secret, "key", 1001)
    assert (spent.label, spent.note, spent.again) == ("Alder", "simulated", False)
    assert not invitations.any_open(disk, 1001)
    with pytest.raises(BadInput, match="invitation_used"):
        invitations.spend(disk, secret, "another", 1002)


def test_the_same_key_may_ask_again_for_its_answer_may_have_been_lost(disk: sqlite3.Connection) -> None:
    secret = invite(disk).secret
    invitations.spend(disk, secret, "key", 1001)
    assert invitations.spend(disk, secret, "key", 9999).again


def test_an_invitation_expires(disk: sqlite3.Connection) -> None:
    token = invite(disk)
    assert token.expires == 1600
    assert not invitations.any_open(disk, 1600)
    with pytest.raises(BadInput, match="invitation_expired"):
        invitations.spend(disk, token.secret, "key", 1600)


def test_an_invitation_can_be_cancelled(disk: sqlite3.Connection) -> None:
    token, other = invite(disk), invite(disk, "Birch")
    assert invitations.cancel(disk, "Alder", 1001) == 1
    with pytest.raises(BadInput, match="invitation_expired"):
        invitations.spend(disk, token.secret, "key", 1002)
    assert invitations.spend(disk, other.secret, "key", 1002).label == "Birch"


def test_one_that_a_newer_one_replaced_says_so_and_one_that_ran_out_does_not(
    disk: sqlite3.Connection,
) -> None:
    first, other = invite(disk), invite(disk, "Birch")
    assert (invitations.waiting(disk, "Alder", 1001), invitations.waiting(disk, "Alder", 1600)) == (1, 0)
    invitations.cancel(disk, "Alder", 1001.5)
    assert invitations.waiting(disk, "Alder", 1002) == 0
    newer = invite(disk, now=1001.5)
    with pytest.raises(BadInput, match="invitation_replaced"):
        invitations.spend(disk, first.secret, "key", 1002)
    with pytest.raises(BadInput, match="invitation_expired"):
        invitations.spend(disk, other.secret, "key", 1600)
    invite(disk, now=9000)
    with pytest.raises(BadInput, match="invitation_expired"):
        invitations.spend(disk, newer.secret, "key", 9001)


def test_a_guessed_secret_opens_nothing(disk: sqlite3.Connection) -> None:
    invite(disk)
    with pytest.raises(BadInput, match="invitation_unknown"):
        invitations.spend(disk, bytes(24), "key", 1001)


def test_the_file_does_not_hold_the_secret(disk: sqlite3.Connection) -> None:
    token = invite(disk)
    assert token.secret not in disk.serialize()


def test_nobody_is_invited_to_an_address_that_cannot_be_dialled(disk: sqlite3.Connection) -> None:
    with pytest.raises(SettingsError, match="tcp://HOST:PORT"):
        invitations.create(disk, address="*:5710", server_public=PUBLIC, label="A", now=0, lifetime=60)
    assert not invitations.any_open(disk, 0)
