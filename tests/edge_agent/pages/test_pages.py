"""The agent's pages say whether it works, for IT, and what leaves the school, for parents."""

import csv
import io
import re
import subprocess
import sys
import threading
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from edge_agent.agent import Agent
from edge_agent.status import next_steps
from shared.pages.environment import POLICY
from shared.serving import loopback_socket
from tests.edge_agent.pages.pages_status import HASH, busy, new, page_over
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.hub.agents import until
from tests.shared.pages_reading import Page, check_page, get


def read(status: dict[str, object], path: str) -> Page:
    """A page over a state, checked for what holds on every one."""
    answer = get(page_over(status), path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == POLICY
    page = Page(answer.text)
    check_page(page)
    return page


@pytest.mark.parametrize("path", ["/", "/what-leaves"])
@pytest.mark.parametrize("state", [busy, new])
def test_every_page_is_whole_in_every_state(state: object, path: str) -> None:
    read((busy if state is busy else new)(), path)


def test_one_line_says_that_it_works() -> None:
    page = read(busy(), "/")
    assert page.one("p", "lede").text.startswith("It works")
    assert page.one("h1").text == "Alder <b>Primary</b>"
    assert "What to do next" not in page.text


def test_one_line_says_what_is_wrong_and_what_else_to_do_next() -> None:
    page = read(new(), "/")
    assert page.one("p", "lede").text.startswith("Not joined to a hub yet")
    assert page.one("ol").text.strip() == "Add a source."
    assert "commonground agent join" in [code.text for code in page.all("code")]


def test_records_that_the_district_refused_and_somebody_dropped_stay_counted() -> None:
    state = busy()
    state["outbox"] |= {"set_aside": 2, "dropped": 3}
    text = " ".join(read(state, "/").text.split())
    assert (
        "2 set aside because the district would not take them, 3 refused by the district and dropped here"
        in text
    )


def test_what_arrives_is_told_by_source_and_minute() -> None:
    page = read(busy(), "/")
    assert "7,770 signals in the last 60 minutes that had any." in page.all("p", "says")[0].text
    assert [" ".join(name.text.split()) for name in page.all("h3", "name")] == [
        "resolverResolver log (dnsmasq)",
        "appsApps that report (xAPI)",
    ]
    rows = list(csv.DictReader(io.StringIO(get(page_over(busy()), "/?data=minutes").text)))
    assert len(rows) == 60
    assert rows[-1] == {"Minute": "2025-03-11T13:59:00+00:00", "Signals": "159"}


def test_what_is_refused_comes_with_its_reason_and_what_helps() -> None:
    text = read(busy(), "/").text
    assert "A line was not of this source’s format" in text
    assert "Switch private addresses off" in text
    assert "A reason nobody knows" in text
    assert "aaa 99 <aaaaaa>" in text
    assert "4 signals came after the day’s key was destroyed" in text


def test_what_stayed_and_what_left_add_up_for_who_asks() -> None:
    text = read(busy(), "/").text
    assert "214 lessons closed; 3 of them without any iPad seen" in text
    assert "The teacher does not share the class" in text
    assert "Stayed here" in text
    assert "2 set aside" in text
    assert "K7QM-3FXD" in text


def test_models_at_work_are_named_with_whether_they_are_calibrated() -> None:
    text = " ".join(read(busy(), "/").text.split())
    assert "<b>TIM</b>version 1 Calibrated by walkthroughs in 3 of its 5 dimensions, fit 0123456789ab" in text
    assert "ACOTversion 1, in weeks alone: it speaks of a term Inferred, not calibrated" in text
    assert "Models at work" not in read(new(), "/").text


def test_parents_see_kinds_counts_and_hashes_but_neither_class_nor_hour() -> None:
    answer = get(page_over(busy()), "/what-leaves")
    page = Page(answer.text)
    assert "Lesson of a shared class" in page.text
    assert "9,123" in page.text
    assert page.text.count(HASH) == 20
    assert "K7QM" not in answer.text
    assert "13:00" not in answer.text
    assert "T13" not in answer.text
    assert "36 hours" in page.text


def test_parents_of_a_new_school_read_that_nothing_left() -> None:
    page = read(new(), "/what-leaves")
    assert "Nothing has left this school yet." in page.text
    assert "The school office knows" in page.text
    named = read(new() | {"contact": "Ask Kim."}, "/what-leaves").text
    assert "Ask Kim." in named and "take a child’s iPad out of it altogether" in named


def test_parents_read_all_that_a_record_may_hold_and_what_is_read_in_the_school() -> None:
    text = read(busy(), "/what-leaves").text
    lesson = text[text.index("Lesson of a shared class.") : text.index("Heartbeat.")]
    for what in ("code", "subject", "when it began", "how many iPads", "in steps of five minutes", "levels"):
        assert what in lesson
    week = text[text.index("Summary of a week.") : text.index("Lesson of a shared class.")]
    for what in ("lessons, classes and teachers", "how many iPads", "levels"):
        assert what in week
    assert "a summary of the school, or of each grade band" in text
    assert "the name of the service (such as docs.google.com) is read" in text
    assert "What is known about my child? Nothing that can be looked up by child" in text
    assert "this machine only" not in text, "the page is for everyone"


def test_trouble_looks_like_trouble_and_health_does_not() -> None:
    assert read(new(), "/").one("div", "alarms").text == read(new(), "/").one("p", "lede").text
    assert not read(busy(), "/").all("div", "alarms")


def test_before_the_first_lesson_has_closed_nothing_is_said_of_lessons_that_close() -> None:
    state = busy()
    state["windows"] = {"closed": 0}
    assert read(state, "/").one("p", "lede").text == "It works. No lesson has closed yet."


@pytest.mark.parametrize("now", ["2025-03-11T14:05:00+00:00", None])
def test_the_example_of_sharing_names_a_day_that_is_to_come(now: str | None) -> None:
    today = date.fromisoformat(now[:10]) if now else date.today()
    page = read(busy() | {"now": now, "sharing": []}, "/")
    (until,) = re.findall(r"--until (\S+)", page.text)
    assert timedelta(days=150) < date.fromisoformat(until) - today < timedelta(days=200)


def test_an_address_that_leads_nowhere_says_so_on_a_page() -> None:
    answer = get(page_over(busy()), "/nowhere")
    assert answer.status_code == 404
    page = Page(answer.text)
    check_page(page)
    assert page.one("h1").text == "There is no such page" and "Nothing was lost." in page.text


def steps(**link: object) -> list[str]:
    """What a state says to do, all being well but the link, and a source whose file is missing."""
    outbox = {"state": "connected", "detail": "", "pending": 0, "set_aside": 0} | link
    sources = [{"id": "resolver", "state": "the file is missing"}]
    nothing: dict[str, int] = {}
    state = {"sources": sources, "unmatched": nothing, "refused": nothing, "signals": 0, "outbox": outbox}
    state["outside"] = nothing
    return next_steps(state | {"rejected_by_intake": 0, "district_holds": None}, "A new key is unusable.")


def test_that_the_hub_refuses_comes_first_and_says_what_it_may_mean() -> None:
    for detail in ("not_enrolled", "revoked"):
        first, *rest = steps(state="refused", detail=detail)
        assert "copy of this folder" in first and "_" not in first
        assert len(rest) == 2
    assert "upgrade the hub" in steps(state="refused", detail="upgrade the hub")[0]
    assert steps()[0] == "A new key is unusable."


def test_the_state_is_there_as_json_too() -> None:
    assert get(page_over(busy()), "/status.json").json() == busy()


def test_a_simulated_school_is_said_to_be_one() -> None:
    assert "Simulated school." in read(busy(), "/what-leaves").one("div", "notices").text
    assert not read(new(), "/").all("div", "notices")


def test_a_running_agent_shows_its_own_state(tmp_path: Path) -> None:
    free = loopback_socket(0)
    port = free.getsockname()[1]
    free.close()
    source = '[[sources]]\nkind = "dnsmasq"\nid = "resolver"\npath = "input/log"\n'
    classes = [ClassSpec("c1", "t1", learners(12))]
    root = tmp_path / "school"
    folder = make_school(root, SchoolSpec(classes, settings=f"[page]\nport = {port}\n{source}"))
    (root / "input" / "log").write_text("no line of dnsmasq\n" * 3)
    agent = Agent(folder.root)
    thread = threading.Thread(target=agent.run)
    thread.start()
    site = f"http://127.0.0.1:{port}"
    try:
        until(lambda: refused(site) == {"malformed_line": 3})
        page = Page(httpx.get(f"{site}/").text)
        check_page(page)
        assert page.one("h1").text == "Test School"
        assert "A line was not of this source’s format" in page.text
        assert "Technology Integration Matrix" in page.text
        told = subprocess.run(
            [sys.executable, "-m", "commonground", "agent", "status", str(root)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "Model tim 1: inferred, not calibrated" in told
        check_page(Page(httpx.get(f"{site}/what-leaves").text))
    finally:
        agent.stop()
        thread.join()


def refused(site: str) -> dict[str, int]:
    """What a running agent refused so far; nothing while it is starting."""
    try:
        found: dict[str, int] = httpx.get(f"{site}/status.json").json()["refused"]
    except httpx.TransportError:
        return {}
    return found


def test_the_blind_spot_is_drawn_with_its_table_and_says_who_bypassed_and_what_is_missing() -> None:
    page = read(busy(), "/")
    figure = next(one for one in page.all("figure") if one.attributes["id"] == "blind-spot")
    says = " ".join(figure.text.split())
    assert "Of 100 expected device-minutes 58 were seen, 25 bypassed every source, 17 were unseen." in says
    assert "20,700" in says and "9,000" in says and "6,300" in says
    assert "200 bypassed" in page.text
    assert "GarageBand" in page.text and "in 12 of 40 lessons, for 11 of 100" in page.text
    assert "not visible are artefact rate, ar use" in " ".join(page.text.split())
