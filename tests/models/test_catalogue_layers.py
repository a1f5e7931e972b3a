"""Laws of own entries: indexes are for good, the longest suffix wins, the school goes before the district."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogue.layers import (
    FIRST_OWN,
    MOST_PLACES,
    Layers,
    Place,
    decode_layers,
    encode_layers,
    merged,
    stack,
)
from models.catalogue.load import load_catalogue
from models.catalogue.match import BACKGROUND, UNLISTED, NameMatcher
from models.catalogue.overlay import (
    EMPTY,
    District,
    Entry,
    Overlay,
    as_toml,
    decode_district,
    encode_district,
    overlay_findings,
    overlay_version,
)
from models.catalogue.registrable import registrable
from shared.errors import BadInput, SettingsError
from shared.settings import parse

laws = settings(derandomize=True, max_examples=40, deadline=None)
SHIPPED = load_catalogue()

hosts = st.lists(st.sampled_from(["a", "bb", "play", "khanacademy"]), min_size=1, max_size=3).map(
    lambda labels: ".".join([*labels, "example"])
)


def entry(name: str, *domains: str, channel: str = "practise", off_task: bool = False) -> Entry:
    """An entry with these names."""
    channels = None if off_task else {channel: 1.0}
    return Entry(name, name, domains or (f"{name}.example",), channels=channels, off_task=off_task)


@st.composite
def overlays(draw: st.DrawFn) -> Overlay:
    """Some entries and background names, no name twice."""
    names = draw(st.lists(hosts, unique=True, max_size=6))
    whose = draw(st.lists(st.sampled_from(["one", "two", "three", ""]), min_size=6, max_size=6))
    channel = draw(st.sampled_from(["practise", "create"]))
    apps = {
        app: tuple(name for name, owner in zip(names, whose, strict=False) if owner == app) for app in whose
    }
    own = tuple(entry(app, *listed, channel=channel) for app, listed in apps.items() if app and listed)
    return Overlay(apps.get("", ()), own)


def meaning(layers: Layers) -> list[tuple[str, dict[str, float], bool]]:
    """What each own index means."""
    apps = merged(SHIPPED, layers).apps[FIRST_OWN - 1 :]
    return [(app.id, dict(app.channels), app.off_task) for app in apps]


@laws
@given(st.lists(st.tuples(overlays(), overlays()), min_size=1, max_size=4))
def test_what_an_index_has_meant_it_means_for_good_whatever_is_added_changed_or_taken_away(
    changes: list[tuple[Overlay, Overlay]],
) -> None:
    layers, before = Layers(), list[tuple[str, dict[str, float], bool]]()
    for district, school in changes:
        layers = stack((("district", district), ("school", school)), layers.places)
        now = meaning(layers)
        assert now[: len(before)] == before
        for found, app in zip(merged(SHIPPED, layers).apps, SHIPPED.apps, strict=False):
            assert (found.id, found.channels, found.off_task) == (app.id, app.channels, app.off_task)
        before = now


@laws
@given(overlays(), overlays(), hosts)
def test_the_longest_suffix_wins_and_of_equals_the_school_goes_before_the_district(
    district: Overlay, school: Overlay, name: str
) -> None:
    catalogue = merged(SHIPPED, stack((("district", district), ("school", school)), ()))
    owner: dict[str, tuple[str, str]] = {}
    replaced = {one.id for one in school.app}
    for whose, overlay in (("district", district), ("school", school)):
        owner |= dict.fromkeys(overlay.background, (whose, ""))
        for one in overlay.app:
            if whose == "school" or one.id not in replaced:
                owner |= dict.fromkeys(one.domains, (whose, one.id))
    fitting = [listed for listed in owner if f".{name}".endswith(f".{listed}")]
    found = NameMatcher(catalogue).match(name)
    if not fitting:
        assert found == UNLISTED
        return
    _, app = owner[max(fitting, key=len)]
    assert found == BACKGROUND if not app else catalogue.apps[found - 1].id == app


def test_an_own_entry_takes_a_shipped_name_and_gives_it_back() -> None:
    taken = Overlay(("khanacademy.org",), (entry("castle", "padlet.com"),))
    layers = stack((("school", taken),), ())
    match = NameMatcher(merged(SHIPPED, layers)).match
    assert (match("www.khanacademy.org"), match("padlet.com")) == (BACKGROUND, FIRST_OWN)
    back = stack((("school", EMPTY),), layers.places)
    match = NameMatcher(merged(SHIPPED, back)).match
    assert match("padlet.com") == NameMatcher(SHIPPED).match("padlet.com") > 0
    assert meaning(back) == [("castle", {"practise": 1.0}, False)]


def test_an_entry_with_a_shipped_id_puts_that_one_out_of_use() -> None:
    layers = stack((("district", Overlay(app=(entry("padlet", "padlet.example"),))),), ())
    catalogue = merged(SHIPPED, layers)
    assert NameMatcher(catalogue).match("padlet.com") == UNLISTED
    assert catalogue.by_id["padlet"] == FIRST_OWN


def test_with_nothing_over_it_the_shipped_catalogue_is_in_use_itself() -> None:
    assert merged(SHIPPED, stack((("school", EMPTY),), ())) is SHIPPED


def test_the_shipped_catalogue_stays_below_the_own_indexes_with_room_to_grow() -> None:
    assert len(SHIPPED.apps) < FIRST_OWN - 200
    assert FIRST_OWN + MOST_PLACES < 1 << 16, "an index has 16 bits in a signal"


def test_indexes_run_out_with_words_and_not_with_a_changed_meaning() -> None:
    full = [Place(f"app_{i}", {"practise": 1.0}, False) for i in range(MOST_PLACES)]
    with pytest.raises(SettingsError, match="no index left"):
        stack((("school", Overlay(app=(entry("new"),))),), full)
    assert stack((("school", Overlay(app=(entry("app_7"),))),), full).live[0].place == 7


@laws
@given(overlays(), overlays())
def test_layers_come_over_the_link_as_they_went(district: Overlay, school: Overlay) -> None:
    layers = stack((("district", district), ("school", school)), ())
    again = decode_layers(encode_layers(layers))
    assert merged(SHIPPED, again).version == merged(SHIPPED, layers).version


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93\x90\x91\x95\x00\xa0\x90\x90\xa0\x80", b"\x80"])
def test_layers_that_no_agent_says_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        decode_layers(data)


@laws
@given(overlays())
def test_an_overlay_written_as_toml_reads_the_same(overlay: Overlay) -> None:
    text = as_toml(overlay, "Two lines\nof heading.")
    assert parse(tomllib.loads(text), Overlay, "it") == overlay
    assert overlay_findings(overlay) == []


@pytest.mark.parametrize(
    ("overlay", "says"),
    [
        (Overlay(("com",)), '"com" is too wide'),
        (Overlay(("co.uk",)), '"co.uk" is too wide'),
        (Overlay(app=(entry("one", "10.0.0.1"),)), "too wide or no name"),
        (Overlay(app=(entry("one", "https://a.example"),)), "not a plain host name"),
        (Overlay(app=(entry("one", channel="dream"),)), 'unknown channel "dream"'),
        (Overlay(app=(Entry("one", "One", ("a.example",)),)), "neither function nor channels"),
        (Overlay(app=(Entry("one", "One", ("a.example",), function="None"),)), "not in functions.toml"),
        (Overlay(app=(entry("one"), entry("two", "one.example"))), "already in app"),
        (Overlay(("one.example",), (entry("one"),)), "is also in background"),
        (Overlay(app=(Entry("one", "a\nb", ("a.example",), off_task=True),)), "control character"),
        (Overlay(app=(Entry("one", "One", ("a.example",), channels={"plan": 0.5}),)), "sum to 0.5"),
    ],
)
def test_what_is_wrong_with_an_overlay_is_said(overlay: Overlay, says: str) -> None:
    assert any(says in line for line in overlay_findings(overlay)), overlay_findings(overlay)


def test_a_districts_catalogue_comes_down_the_link_whole_or_not_at_all() -> None:
    overlay = Overlay(("filter.example",), (entry("castle"),))
    data = encode_district(District(3, overlay_version(overlay), overlay))
    assert decode_district(data).overlay == overlay
    hostile = [
        *(data[:-1], b"", b"[]", b"null", b"\xff", b"[" * 100_000, b" " * 300_000),
        data.replace(b"practise", b"dream"),
        data.replace(b"castle.example", b"other.example"),  # its hash is another's
        data.replace(b'"number"', b'"numbers"'),
        data.replace(b'"name"', b'"lp_ids":["1"],"name"'),
        data.replace(b'"number":3', b'"number":0'),
    ]
    for one in hostile:
        with pytest.raises(BadInput):
            decode_district(one)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("play.khanacademy.org", "khanacademy.org"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("jane.github.io", "github.io"),
        ("www.jane.wordpress.com", "wordpress.com"),
        ("www.lincoln.k12.ca.us", "lincoln.k12.ca.us"),
        ("id.me", "id.me"),
        ("www.school.sch.id", "school.sch.id"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        *(
            (nothing, "")
            for nothing in ("", ".", "a", "com", "co.uk", "10.0.0.1", "::1", "a..", ".a", "a.b-1")
        ),
        ("x" * 90 + ".com", ""),
    ],
)
def test_of_a_name_the_registered_part_is_kept_and_no_persons_place_below_it(name: str, kept: str) -> None:
    assert registrable(name) == kept


@laws
@given(st.text(max_size=60))
def test_any_text_can_be_asked_for_its_registered_part(name: str) -> None:
    found = registrable(name)
    assert name.endswith(found)
    assert registrable(found) == found


@pytest.mark.parametrize(
    "name", ["securly.com", "jane.ipad.0a1b.securly.com", "x.goguardian.com", "lsrelay.lightspeedsystems.com"]
)
def test_what_a_filter_says_by_itself_is_background(name: str) -> None:
    assert NameMatcher(SHIPPED).match(name) == BACKGROUND


def test_a_filters_web_site_for_people_is_still_its_app() -> None:
    assert NameMatcher(SHIPPED).match("www.securly.com") == SHIPPED.index("securly")
