"""Names of people and machines are taken out of host names; what the catalogue knows of a name stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.scrub_names import scrub_name
from models.catalogue.load import load_catalogue
from models.catalogue.match import NameMatcher


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("jane.doe.janes-ipad.0a1b2c3d.securly.com", "securly.com"),
        ("Jane.Securly.COM.", "securly.com"),
        ("www.securly.com", "www.securly.com"),
        ("jane.www.securly.com", "www.securly.com"),
        ("janes-ipad.local", "local"),
        ("Jane's iPad._airplay._tcp.local", "local"),
        ("9.20.18.10.in-addr.arpa", "in-addr.arpa"),
        ("janes-ipad", ""),
        ("jane@school.example.com", "example.com"),
        ("jane=40school.filter.example.com", "filter.example.com"),
        ("jane doe", ""),
        ("", ""),
        ("...", ""),
        ("www.khanacademy.org.", "www.khanacademy.org"),
        ("notsecurly.com", "notsecurly.com"),
    ],
)
def test_what_is_left_of_a_name(name: str, left: str) -> None:
    assert scrub_name(name) == left


labels = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["securly", "com", "local", "www", "khanacademy", "org", "jane", "arpa"]),
)
names = st.lists(labels, max_size=8).map(".".join)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(names)
def test_scrubbing_only_takes_away_from_the_front_and_twice_is_once(name: str) -> None:
    left = scrub_name(name)
    plain = name.lower().removesuffix(".")
    assert left == "" or plain == left or plain.endswith(f".{left}")
    assert scrub_name(left) == left


user = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20).map("canary{}".format)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(user, min_size=1, max_size=5))
def test_nothing_that_a_filter_or_a_machine_put_before_its_end_is_left(before: list[str]) -> None:
    for suffix in ("securly.com", "local", "home.arpa", "ip6.arpa", "lan"):
        assert scrub_name(".".join((*before, suffix))) == suffix


def test_every_listed_name_and_a_host_beneath_it_match_as_before() -> None:
    catalogue = load_catalogue()
    matcher = NameMatcher(catalogue)
    listed = [*catalogue.background, *(domain for app in catalogue.apps for domain in app.domains)]
    assert len(listed) > 500
    for name in (f"{prefix}{name}" for name in listed for prefix in ("", "a-1.", "www.b_2.")):
        assert matcher.match(scrub_name(name)) == matcher.match(name), name
