"""Laws of matching: the longest suffix wins, spelling does not matter, and no text does harm."""

from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogue import suffixes
from models.catalogue.elsewhere import ELSEWHERE, all_elsewhere, leads_elsewhere
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


# Names, names spelt otherwise, what is no name and may look like two, and names about as long as one may be.
spelt = st.builds(
    lambda name, end, upper: (name.upper() if upper else name) + end,
    names,
    st.sampled_from(["", "", "", ".", "..", " ", "\n", "\na.b", "\x7f", "\u212a", "\ud800"]),
    st.booleans(),
)
long = st.builds(lambda size, name: "y" * size + "." + name, st.integers(245, 258), names)
anything = st.one_of(names, spelt, spelt, long, st.text(max_size=12), st.text("ab.\n. \x00é", max_size=8))


@laws
@given(listings, st.lists(anything, max_size=40), st.integers(0, 3))
def test_names_matched_together_are_what_they_are_one_by_one(
    listing: dict[str, int], asked: list[str], few: int
) -> None:
    matcher = NameMatcher(_catalogue(listing), remembered=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suffixes, "FEW", few)
        together = matcher.match_all(asked)
    assert not matcher._memo, "nothing is remembered"
    assert together.tolist() == [matcher.match(name) for name in asked]


@laws
@given(st.lists(st.one_of(st.sampled_from(sorted(ELSEWHERE)), st.text(max_size=20)), max_size=20), anything)
def test_many_names_lead_elsewhere_as_each_does(asked: list[str], before: str) -> None:
    told = [*asked, *(f"{before}.{name}" for name in asked), *(f"{name.upper()}." for name in asked)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suffixes, "FEW", 0)
        assert all_elsewhere(told).tolist() == [leads_elsewhere(name) for name in told]


HOSTILE = pytest.mark.parametrize(
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


@HOSTILE
def test_a_hostile_name_is_unlisted(name: str) -> None:
    assert NameMatcher(load_catalogue()).match(name) == UNLISTED


@HOSTILE
def test_a_hostile_name_changes_nothing_for_the_names_around_it(name: str) -> None:
    matcher = NameMatcher(load_catalogue())
    listed = matcher.match("bookcreator.com")
    around = ["bookcreator.com", name, "app.bookcreator.com."] * suffixes.FEW
    assert matcher.match_all(around).tolist() == [listed, UNLISTED, listed] * suffixes.FEW


def test_a_name_may_have_253_characters_and_a_dot() -> None:
    matcher = NameMatcher(load_catalogue())
    listed = matcher.match("bookcreator.com")
    asked = ["y" * size + ".bookcreator.com" + dot for size in range(230, 245) for dot in ("", ".", "..")]
    wanted = [listed if len(name) <= 254 and name[-2:] != ".." else UNLISTED for name in asked]
    assert [matcher.match(name) for name in asked] == wanted
    assert matcher.match_all(asked * 3).tolist() == wanted * 3
    assert len(asked) * 3 >= suffixes.FEW


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
    assert matcher.match_all(list(listed)).tolist() == list(listed.values())
    assert matcher.match_all([f"not-listed.{name}." for name in listed]).tolist() == list(listed.values())


def test_an_empty_catalogue_lists_nothing() -> None:
    matcher = NameMatcher(_catalogue({}))
    assert matcher.match("a.b") == UNLISTED
    assert not matcher.match_all(["a.b"] * suffixes.FEW).any()
