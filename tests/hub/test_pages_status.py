"""The hub's page about itself, and the alarms that nobody who opens the district's page can miss."""

from shared.link.keys import fingerprint
from tests.hub.hubs import Hub, new_key
from tests.hub.pages_district import HOSTILE, alarmed, served_by
from tests.hub.records import SCHOOL, lesson, week
from tests.shared.pages_reading import Page, check_page, get


def page(hub: Hub, path: str) -> Page:
    answer = get(served_by(hub), path)
    assert answer.status_code == 200
    found = Page(answer.text)
    check_page(found)
    return found


def test_the_hubs_page_shows_its_fingerprint_and_every_schools_with_since_when(hub: Hub) -> None:
    key = new_key()
    hub.inbox.join(key, hub.invite(SCHOOL), SCHOOL)
    hub.invite("Birch Academy")
    text = page(hub, "/status").text
    assert hub.views.status().fingerprint in text
    assert fingerprint(key) in text
    assert "since 1 November 2025, 12:00 UTC" in text
    assert "invited, not joined" in text
    assert "1 school joined, 0 of them heard within a day" in text


def test_what_came_and_what_was_refused_is_said_in_words(hub: Hub) -> None:
    hub.send(hub.join(SCHOOL), lesson(), week(), week(), b"nonsense")
    text = page(hub, "/status").text
    assert (
        "Shared lessons" in text and "Weeks that were sent before" in text and "Records that are none" in text
    )
    assert "week_already_known" not in text


def test_without_an_alarm_there_is_no_block_and_with_one_both_pages_begin_with_it(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    for path in ("/", "/status"):
        assert not page(hub, path).all("section", "alarms")
    hub.send(enrolment, lesson("Birch Academy"))
    for path in ("/", "/status"):
        (block,) = page(hub, path).all("section", "alarms")
        assert "1 thing needs a look" in block.text
        assert "in another school’s name" in block.text and "agent.toml" in block.text
        assert "--clear NUMBER" in block.text


def test_the_districts_page_shows_three_and_leads_to_all_and_a_hostile_name_stays_text(hub: Hub) -> None:
    app = alarmed(hub)
    text = get(app, "/").text
    assert "<script>alert" not in text
    (block,) = Page(text).all("section", "alarms")
    assert block.text.count("Number ") == 3
    assert HOSTILE in block.text
    (whole,) = Page(get(app, "/status").text).all("section", "alarms")
    assert whole.text.count("Number ") == 6
