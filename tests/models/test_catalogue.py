"""The shipped catalogue is clean, covers its sources, and says what is known of well-known products."""

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

import models.catalogue
from models.catalogue.check import check_catalogue
from models.catalogue.load import Catalogue, catalogue_as_json, load_catalogue
from models.catalogue.match import BACKGROUND, UNLISTED, NameMatcher
from shared.words import CHANNEL_INDEX, CHANNELS

FOLDER = Path(models.catalogue.__file__).parent


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def matcher(catalogue: Catalogue) -> NameMatcher:
    return NameMatcher(catalogue)


def _listed(catalogue: Catalogue, matcher: NameMatcher, name: str) -> str:
    return catalogue.apps[matcher.match(name) - 1].id


def test_the_shipped_catalogue_is_clean() -> None:
    assert check_catalogue() == []


def test_all_372_learnplatform_products_are_mapped_once(catalogue: Catalogue) -> None:
    assert sum(len(app.lp_ids) for app in catalogue.apps) == 372
    assert len(catalogue.by_lp_id) == 372
    assert all(re.fullmatch(r"\d{5}", lp_id) for lp_id in catalogue.by_lp_id)


def test_apples_58_apps_and_two_for_schools_are_mapped_by_bundle_id(catalogue: Catalogue) -> None:
    apple = {b for b in catalogue.by_bundle_id if b.startswith(("com.apple.", "developer.apple."))}
    for_schools = {"com.apple.classroom", "com.apple.schoolwork.ClassKitApp"}
    assert for_schools < apple
    assert len(apple - for_schools) == 58


def test_an_index_is_the_position_from_one(catalogue: Catalogue) -> None:
    assert [catalogue.index(app.id) for app in catalogue.apps] == list(range(1, len(catalogue.apps) + 1))
    with pytest.raises(KeyError):
        catalogue.index("no_such_app")


def test_indexes_given_out_before_stay_as_they_are(catalogue: Catalogue) -> None:
    given = {"hmh": 1, "book_creator": 26, "google_docs": 119, "zoom": 349, "app_store": 350, "io_games": 475}
    assert {app_id: catalogue.index(app_id) for app_id in given} == given


def test_products_on_one_host_are_one_entry_with_their_names(catalogue: Catalogue) -> None:
    docs = catalogue.apps[catalogue.index("google_docs") - 1]
    assert {"Google Sheets", "Google Slides", "Google Forms", "Google Drawings"} <= set(docs.names)
    assert {catalogue.by_lp_id[lp_id] for lp_id in ("95731", "28504", "37805")} == {catalogue.index(docs.id)}


def test_weights_are_one_row_an_app_and_each_row_sums_to_one(catalogue: Catalogue) -> None:
    weights = catalogue.channel_weights()
    assert weights.shape == (len(catalogue.apps) + 1, len(CHANNELS))
    assert weights.dtype == np.float64
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-9)


def test_unlisted_and_off_task_contacts_are_all_other(catalogue: Catalogue) -> None:
    off_task = catalogue.off_task()
    assert off_task[0]
    other = np.eye(len(CHANNELS))[CHANNEL_INDEX["other"]]
    assert (catalogue.channel_weights()[off_task] == other).all()


@pytest.mark.parametrize(
    "app_id",
    [
        *("netflix", "hulu", "disney_plus", "twitch", "spotify", "apple_music", "instagram", "snapchat"),
        *("tiktok", "discord", "among_us", "minecraft", "roblox", "steam", "epic_games"),
    ],
)
def test_games_video_social_media_and_music_are_off_task(catalogue: Catalogue, app_id: str) -> None:
    assert catalogue.off_task()[catalogue.index(app_id)]


@pytest.mark.parametrize("app_id", ["minecraft_education", "youtube", "prodigy", "audible", "google_search"])
def test_what_lessons_use_is_not_off_task(catalogue: Catalogue, app_id: str) -> None:
    assert not catalogue.off_task()[catalogue.index(app_id)]


@pytest.mark.parametrize(
    ("app_id", "channel"),
    [
        ("book_creator", "create"),
        ("canva", "create"),
        ("scratch", "create"),
        ("keynote", "create"),
        ("garageband", "create"),
        ("seesaw", "create"),
        ("kahoot", "practise"),
        ("quizizz", "practise"),
        ("gimkit", "practise"),
        ("khan_academy", "practise"),
        ("padlet", "collaborate"),
        ("jamboard", "collaborate"),
        ("google_docs", "collaborate"),
        ("zoom", "collaborate"),
        ("youtube", "consume"),
        ("epic", "consume"),
        ("nearpod", "consume"),
        ("google_classroom", "plan"),
        ("schoology", "plan"),
        ("apple_journal", "reflect"),
    ],
)
def test_a_well_known_product_mostly_affords(catalogue: Catalogue, app_id: str, channel: str) -> None:
    channels = catalogue.apps[catalogue.index(app_id) - 1].channels
    assert max(channels, key=lambda name: channels[name]) == channel


@pytest.mark.parametrize(
    ("name", "app_id"),
    [
        ("app.bookcreator.com", "book_creator"),
        ("cdn.kastatic.org", "khan_academy"),
        ("kahoot.it", "kahoot"),
        ("docs.google.com", "google_docs"),
        ("classroom.google.com", "google_classroom"),
        ("drive.google.com", "google_drive"),
        ("meet.google.com", "google_meet"),
        ("www.google.com", "google_search"),
        ("app.seesaw.me", "seesaw"),
        ("board.padlet.org", "padlet"),
        ("education.minecraft.net", "minecraft_education"),
        ("www.minecraft.net", "minecraft"),
        ("amp-api.music.apple.com", "apple_music"),
        ("yt3.ggpht.com", "youtube"),
    ],
)
def test_a_well_known_name_is_its_app(
    catalogue: Catalogue, matcher: NameMatcher, name: str, app_id: str
) -> None:
    assert _listed(catalogue, matcher, name) == app_id


@pytest.mark.parametrize(
    "name",
    [
        "mask.icloud.com",
        "mask-h2.icloud.com",
        "mask-api.icloud.com",
        "1-courier.push.apple.com",
        "captive.apple.com",
        "gateway.icloud.com",
        "p42-content.icloud.com",
        "mesu.apple.com",
        "gdmf.apple.com",
        "ocsp.digicert.com",
        "time.apple.com",
        "itunes.apple.com.akadns.net",
        "gsp64-ssl.ls.apple.com",
        "e4478.a.akamaiedge.net",
        "g.aaplimg.com",
        "app-measurement.com",
        "firebaselogging-pa.googleapis.com",
        "fonts.gstatic.com",
        "www.google-analytics.com",
        "stats.g.doubleclick.net",
        "accounts.google.com",
        "login.microsoftonline.com",
        "graph.facebook.com",
        "v10.events.data.microsoft.com",
        "4.3.2.10.in-addr.arpa",
        "b._dns-sd._udp.local",
        "wpad",
    ],
)
def test_what_devices_do_by_themselves_is_background(matcher: NameMatcher, name: str) -> None:
    assert matcher.match(name) == BACKGROUND


@pytest.mark.parametrize(
    "name", ["blog.example.org", "bookcreator.com.example.org", "mybookcreator.com", "com"]
)
def test_an_unknown_name_is_unlisted(matcher: NameMatcher, name: str) -> None:
    assert matcher.match(name) == UNLISTED


def test_private_relay_has_its_own_category_so_that_a_bypass_can_be_told(catalogue: Catalogue) -> None:
    assert catalogue.background["mask.icloud.com"] == "private_relay"
    assert catalogue.background["mask-h2.icloud.com"] == "private_relay"


def test_no_app_claims_a_shared_store_or_a_shared_parent(catalogue: Catalogue) -> None:
    claimed = {domain: app.id for app in catalogue.apps for domain in app.domains}
    shared = {
        "google.com",
        "apple.com",
        "microsoft.com",
        "play.google.com",
        "itunes.apple.com",
        "withgoogle.com",
    }
    assert not shared & set(claimed)
    assert claimed["apps.apple.com"] == "app_store"
    assert claimed["chrome.google.com"] == "chrome_web_store"


def test_as_json_it_has_exactly_the_published_keys_in_index_order(catalogue: Catalogue) -> None:
    rows = catalogue_as_json(catalogue)
    assert [row["id"] for row in rows] == [app.id for app in catalogue.apps]
    assert all(
        list(row) == ["id", "name", "domains", "bundle_ids", "channels", "off_task"]
        and set(row["channels"]) <= set(CHANNELS)
        and all(weight > 0 for weight in row["channels"].values())
        for row in rows
    )
    assert msgspec.json.decode(msgspec.json.encode(rows)) == rows


def test_derived_data_carries_its_attribution_and_licence() -> None:
    notice = (FOLDER / "NOTICE.md").read_text(encoding="utf-8")
    for words in (
        "LearnPlatform",
        "CC BY-SA 4.0",
        "What was changed",
        "Petar Petrov",
        "V2Ray",
        "MIT License",
    ):
        assert words in notice
