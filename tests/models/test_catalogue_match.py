"""Laws of matching: the longest suffix wins, spelling does not matter, and no text does harm."""

from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogue.load import App, Catalogue, load_catalogue
from models.catalogue.match import BACKGROUND, UNLISTED, NameMatcher

laws = settings(derandomize=True, max_examples=150, deadline=None)

# Few labels, so that generated names and catalogues meet often.
names = st.lists(st.sampled_from(["a", "b", "cc", "x-1"]), min_size=1, max_size=5).map(".".join)
owners = st.integers(min_value=-1, max_value=3).filter(bool)
listings = st.dictionaries(names, owners, max_size=8)


def _catalogue(listing: dict[str, int]) -> Catalogue:
    """A catalogue of three apps that own names as listed: 1 to 3 an app, -1 background."""
    apps = tuple(
        App(
            id=f"app_{i}",
            name=f"App {i}",
            names=(),
            domains=tuple(name for name, owner in listing.items() if owner == i),
            bundle_ids=(),
            lp_ids=(),
            function="",
            channels=MappingProxyType({"other": 1.0}),
            off_task=False,
        )
        for i in (1, 2, 3)
    )
    none: MappingProxyType[str, int] = MappingProxyType({})
    background = {name: "push" for name, owner in listing.items() if owner == BACKGROUND}
    return Catalogue(apps, background, "0" * 12, none, none, none)


@laws
@given(listings, names)
def test_the_longest_listed_suffix_wins_over_apps_and_background_alike(
    listing: dict[str, int], name: str
) -> None:
    fitting = [listed for listed in listing if f".{name}".endswith(f".{listed}")]
    expected = listing[max(fitting, key=len)] if fitting else UNLISTED
    assert NameMatcher(_catalogue(listing)).match(name) == expected


@laws
@given(listings, names, st.data())
def test_case_and_one_trailing_dot_do_not_matter(
    listing: dict[str, int], name: str, data: st.DataObject
) -> None:
    matcher = NameMatcher(_catalogue(listing))
    upper = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    spelt = "".join(c.upper() if up else c for c, up in zip(name, upper, strict=True))
    assert matcher.match(spelt) == matcher.match(name)
    assert matcher.match(spelt + ".") == matcher.match(name)


@laws
@given(listings, st.lists(names, max_size=30))
def test_remembering_little_changes_no_answer(listing: dict[str, int], asked: list[str]) -> None:
    catalogue = _catalogue(listing)
    forgetful = NameMatcher(catalogue, remembered=2)
    fresh = [NameMatcher(catalogue).match(name) for name in asked]
    assert [forgetful.match(name) for name in asked] == fresh
    assert len(forgetful._memo) <= 2


@laws
@given(st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    catalogue = load_catalogue()
    assert BACKGROUND <= NameMatcher(catalogue).match(text) <= len(catalogue.apps)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a" * 10_240,
        "a." * 5_000 + "bookcreator.com",
        "\x00\x01\x1b.bookcreator.com",
        "bookcreator.com\n",
        "bоokcreator.com",  # a Cyrillic o
        "\ud800.bookcreator.com",
        "bookcreator.com..",
    ],
    ids=range(10),
)
def test_a_hostile_name_is_unlisted(name: str) -> None:
    assert NameMatcher(load_catalogue()).match(name) == UNLISTED


def test_a_name_too_long_to_be_one_is_not_remembered() -> None:
    matcher = NameMatcher(load_catalogue())
    matcher.match("a" * 10_240)
    assert not matcher._memo


def test_a_sub_domain_of_every_shipped_name_is_what_the_name_is() -> None:
    catalogue = load_catalogue()
    matcher = NameMatcher(catalogue)
    listed = {domain: i for i, app in enumerate(catalogue.apps, 1) for domain in app.domains}
    listed |= dict.fromkeys(catalogue.background, BACKGROUND)
    assert len(listed) > 900
    for name, owner in listed.items():
        assert matcher.match(name) == owner
        assert matcher.match(f"not-listed.{name}") == owner


def test_an_empty_catalogue_lists_nothing() -> None:
    assert NameMatcher(_catalogue({})).match("a.b") == UNLISTED
