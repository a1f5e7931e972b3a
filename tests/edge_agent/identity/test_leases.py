"""Who had which address when, from a lease file that says only who has it now."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.identity.leases import ASSUMED_SECONDS, MAX_FILE_BYTES, LeaseFile, Leases, dnsmasq_owners

NOW = 1_789_000_000  # long before the files of these tests are written: their times are no help
ANNA, BEN = "a483e7000001", "a483e7000002"


def entry(address: str, hardware: str, expiry: int = NOW + 3600) -> str:
    colons = ":".join(hardware[i : i + 2] for i in range(0, 12, 2))
    return f"{expiry} {colons} {address} iPad 01:{colons}\n"


def test_lines_that_are_no_lease_of_a_wireless_device_are_passed_over() -> None:
    lines = [
        "duid 00:01:00:01:2c:aa\n",
        f"{NOW} 12345678 fd00::1 iPad 00:01:00:01\n",  # IPv6: an association's number, not an address
        f"{NOW} a4:83:e7:00:00 10.0.0.3 iPad *\n",
        "\n",
        "rubbish\n",
        entry("10.0.0.1", ANNA),
    ]
    assert list(dnsmasq_owners(lines)) == [("10.0.0.1", ANNA)]


def test_todays_owner_is_not_credited_with_all_of_the_past(tmp_path: Path) -> None:
    path, leases = tmp_path / "leases", Leases()
    path.write_text(entry("10.0.0.1", ANNA))
    assert LeaseFile(path, leases).refresh(NOW) == 1
    assert leases.at("10.0.0.1", NOW) == ANNA
    assert leases.at("10.0.0.1", NOW - ASSUMED_SECONDS) == ANNA, "a restart at noon explains the morning"
    assert leases.at("10.0.0.1", NOW - ASSUMED_SECONDS - 1) is None


def test_what_the_log_says_of_the_past_is_stronger_than_what_the_file_lets_assume(tmp_path: Path) -> None:
    path, leases = tmp_path / "leases", Leases()
    path.write_text(entry("10.0.0.1", ANNA) + entry("10.0.0.2", ANNA))
    LeaseFile(path, leases).refresh(NOW)
    leases.add(NOW - ASSUMED_SECONDS - 3600, "10.0.0.1", BEN)
    leases.add(NOW - 3600, "10.0.0.1", ANNA)
    assert leases.at("10.0.0.1", NOW - 3601) == BEN
    assert leases.at("10.0.0.1", NOW - 3600) == ANNA
    leases.add(NOW - 3600, "10.0.0.2", BEN)
    assert leases.at("10.0.0.2", NOW - 7200) is None, "Ben had it before Anna: it was not hers all the time"
    assert leases.at("10.0.0.2", NOW) == ANNA


def test_a_device_that_joins_later_is_learnt_when_the_file_changes(tmp_path: Path) -> None:
    path, leases = tmp_path / "leases", Leases()
    path.write_text(entry("10.0.0.1", ANNA))
    file = LeaseFile(path, leases)
    assert file.refresh(NOW) == 1
    assert file.refresh(NOW + 50) == 0, "nothing has changed"
    path.write_text(entry("10.0.0.1", ANNA, NOW + 7200) + entry("10.0.0.2", BEN))
    assert file.refresh(NOW + 60) == 1
    assert leases.at("10.0.0.2", NOW + 50) == BEN, "it came since the last look"
    assert leases.at("10.0.0.2", NOW + 49) is None


def test_an_address_that_changed_hands_keeps_its_history(tmp_path: Path) -> None:
    path, leases = tmp_path / "leases", Leases()
    path.write_text(entry("10.0.0.1", ANNA))
    file = LeaseFile(path, leases)
    file.refresh(NOW)
    path.write_text(entry("10.0.0.1", BEN) + "\n")
    assert file.refresh(NOW + 600) == 1
    assert leases.at("10.0.0.1", NOW + 599) == ANNA
    assert leases.at("10.0.0.1", NOW + 600) == BEN


def test_an_unreadable_lease_file_is_trouble_and_no_error(tmp_path: Path) -> None:
    path, leases = tmp_path / "leases", Leases()
    file = LeaseFile(path, leases)
    assert file.refresh(NOW) == 0
    assert file.trouble == f"{path} cannot be read: No such file or directory; correct its path in agent.toml"
    path.mkdir()
    assert file.refresh(NOW) == 0
    assert "Is a directory" in file.trouble
    path.rmdir()
    path.write_text(entry("10.0.0.1", ANNA))
    assert file.refresh(NOW) == 1
    assert file.trouble == ""
    with path.open("r+b") as grown:
        grown.truncate(MAX_FILE_BYTES + 1)
    assert file.refresh(NOW) == 0
    assert "larger than any lease file" in file.trouble
    assert leases.at("10.0.0.1", NOW) == ANNA


def test_bytes_that_are_no_text_stop_nothing(tmp_path: Path) -> None:
    path, leases = tmp_path / "leases", Leases()
    path.write_bytes(b"\xff\xfe\x00 \xff\n" + entry("10.0.0.1", ANNA).encode())
    assert LeaseFile(path, leases).refresh(NOW) == 1


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from([ANNA, BEN])), max_size=8),
    st.tuples(st.integers(0, 50), st.sampled_from([ANNA, BEN])),
    st.integers(0, 60),
)
def test_an_assumption_never_changes_an_answer_that_was_told(
    told: list[tuple[int, str]], assumed: tuple[int, str], moment: int
) -> None:
    plain, with_assumption = Leases(), Leases()
    for at, hardware in told:
        plain.add(at, "10.0.0.1", hardware)
        with_assumption.add(at, "10.0.0.1", hardware)
    with_assumption.assume(assumed[0], "10.0.0.1", assumed[1])
    known, answer = plain.at("10.0.0.1", moment), with_assumption.at("10.0.0.1", moment)
    assert answer == known or (known is None and answer == assumed[1] and moment >= assumed[0])


def test_what_is_forgotten_is_not_assumed_either() -> None:
    leases = Leases()
    leases.add(100, "10.0.0.1", ANNA)
    leases.assume(50, "10.0.0.1", ANNA)
    leases.add(200, "10.0.0.1", BEN)
    leases.add(300, "10.0.0.1", ANNA)
    assert leases.at("10.0.0.1", 60) == ANNA
    leases.forget_before(310)
    assert leases.at("10.0.0.1", 250) is None, "it was Ben's, and that is forgotten"
    assert leases.at("10.0.0.1", 310) == ANNA
