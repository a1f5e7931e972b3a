"""The hub's page about itself, and the alarms that nobody who opens the district's page can miss."""

import sqlite3

from hub import folder
from hub.store import alarms, announced
from shared import waiting
from shared.courier import Courier
from shared.link import keys
from shared.link.keys import fingerprint
from shared.notice import Notice, NoticeSettings
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
    assert "Invited, not joined yet" in text
    assert "1 school joined, not heard within a day" in text


def test_a_key_that_waits_is_shown_with_who_does_not_know_it(hub: Hub) -> None:
    enrolment = hub.join(SCHOOL)
    assert "The key to come" not in page(hub, "/status").text
    made = keys.make_next(hub.layout.keys, folder.LINK_KEY)
    view = hub.views.status()
    assert (view.next_key, view.not_told) == (fingerprint(made.public), (SCHOOL,))
    text = page(hub, "/status").text
    assert fingerprint(made.public) in text
    assert "1 school does not know it yet. One that is connected learns it within a few seconds" in text
    hub.writer.run(lambda own: announced.tell(own, int(enrolment), made.public))
    assert hub.views.status().not_told == ()
    assert "every school knows it: commonground hub rotate-key DIR --switch" in page(hub, "/status").text


def test_this_hub_is_in_the_navigation_of_every_page(hub: Hub) -> None:
    for path in ("/", "/status", "/how"):
        found = [one.text for one in page(hub, path).all("a") if one.attributes["href"] == "/status"]
        assert "This hub" in found


def test_a_message_of_a_silence_that_was_spoilt_is_said_with_what_to_do_for_a_week(hub: Hub) -> None:
    hub.join(SCHOOL)
    assert "never went out" not in page(hub, "/status").text and hub.views.status().unsent == ()
    told = NoticeSettings(webhook="https://district.example/hook")

    def hand_over(own: sqlite3.Connection) -> None:
        waiting.put(own, Notice("school-1-0-silent", "silent", "Silent."), told, hub.now)
        own.execute("UPDATE notices SET notice = '{'")

    hub.writer.run(hand_over)
    assert Courier(hub.writer, told, hub.layout.folder, lambda: hub.now).look() == 0
    assert [(one.reason, one.count) for one in hub.views.status().unsent] == [("notice_unreadable", 1)]
    text = page(hub, "/status").text
    assert "1 message about a silence could not be read back" in text and "check the disk" in text
    hub.now += 8 * 86_400
    assert "never went out" not in page(hub, "/status").text


def test_what_came_and_what_was_refused_is_said_in_words(hub: Hub) -> None:
    hub.send(hub.join(SCHOOL), lesson(), week(), week(), b"nonsense")
    text = page(hub, "/status").text
    assert (
        "Shared lessons" in text and "Weeks that were sent before" in text and "Records that are none" in text
    )
    assert "week_already_known" not in text


def test_with_an_alarm_the_hubs_page_begins_with_it_and_the_districts_has_one_line_that_leads_there(
    hub: Hub,
) -> None:
    enrolment = hub.join(SCHOOL)
    for path in ("/", "/status"):
        assert not page(hub, path).all("section", "alarms")
    hub.send(enrolment, lesson("Birch Academy"))
    (block,) = page(hub, "/status").all("section", "alarms")
    assert "1 thing needs a look" in block.text
    assert "in another school’s name" in block.text and "agent.toml" in block.text
    assert "--clear NUMBER" in block.text
    (line,) = page(hub, "/").all("section", "alarms")
    assert line.text.strip() == "1 thing needs the administrator’s look"
    assert '<a class="tap" href="/status#alarms">' in get(served_by(hub), "/").text


def test_a_coach_reads_no_command_and_no_key_and_a_hostile_name_stays_text(hub: Hub) -> None:
    app = alarmed(hub)
    text = get(app, "/").text
    assert "<script>alert" not in text
    (block,) = Page(text).all("section", "alarms")
    assert "revoke" not in block.text and "key" not in block.text
    words = get(app, "/status").text
    assert "<script>alert" not in words
    (whole,) = Page(words).all("section", "alarms")
    assert HOSTILE in whole.text
    assert whole.text.count("Number ") == len(alarms.REASONS)
