"""The hub's pages say what is known and how sure, for everybody, in any state of the district."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import msgspec
import pytest
from fastapi import FastAPI

from hub.pages.facts import facts_words
from hub.pages.questions import MOST, questions
from hub.pages.words import grade_words
from hub.paths import Layout
from shared.pages.environment import POLICY
from tests.hub.hubs import Hub, temporary_hub
from tests.hub.pages_district import CODE, DAY, HOSTILE, filled, served_by, shared_lesson
from tests.hub.records import SCHOOL, week
from tests.shared.pages_reading import Page, check_page, get

SCHOOL_PAGE = "/schools/alder-primary"
CLASS_PAGE = f"{SCHOOL_PAGE}/classes/{CODE}"
PAGES = (
    "/",
    SCHOOL_PAGE,
    CLASS_PAGE,
    "/schools/elm-school",
    "/schools/dogwood-elementary",
    "/usage",
    "/status",
    "/how",
)


@pytest.fixture(scope="module")
def app() -> Iterator[FastAPI]:
    """A full district; its pages only read."""
    with temporary_hub() as hub:
        yield filled(hub)


@pytest.fixture
def empty(hub: Hub) -> FastAPI:
    """A district nobody has joined."""
    return served_by(hub)


def read(app: FastAPI, path: str, status: int = 200, *, language: str = "") -> Page:
    """A page, checked for what holds on every one."""
    answer = get(app, path, **{"accept-language": language})
    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == POLICY
    page = Page(answer.text)
    check_page(page)
    return page


def usage_page(app: FastAPI) -> str:
    """The address of the first usage district."""
    links = (link.attributes["href"] for link in Page(get(app, "/usage").text).all("a"))
    return next(link for link in links if link.startswith("/usage/"))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_and_carries_its_own_explanation(app: FastAPI, path: str) -> None:
    read(app, path)


def test_a_usage_district_is_whole_too(app: FastAPI) -> None:
    read(app, usage_page(app))


def test_every_link_inside_leads_somewhere(app: FastAPI) -> None:
    seen, todo = set(), ["/"]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = get(app, path)
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        page = Page(answer.text)
        ids = {tag.attributes["id"] for tag in page.tags if "id" in tag.attributes}
        for link in page.all("a"):
            href = link.attributes["href"]
            inner, _, fragment = href.partition("#")
            if not inner:
                assert fragment in ids, f"{href} on {path}"
            elif inner.startswith("/"):
                todo.append(inner)
            else:
                assert inner.startswith("https://")
        todo += [tag.attributes["href"] for tag in page.all("link")]
    assert {"/how", SCHOOL_PAGE, CLASS_PAGE} <= seen


def test_links_to_an_explanation_name_a_place_that_is_there(app: FastAPI) -> None:
    there = {tag.attributes["id"] for tag in read(app, "/how").tags if "id" in tag.attributes}
    for path in PAGES:
        for link in Page(get(app, path).text).all("a"):
            where, _, fragment = link.attributes["href"].partition("#")
            if where == "/how" and fragment:
                assert fragment in there


def test_the_district_says_its_week_in_one_sentence(app: FastAPI) -> None:
    lede = read(app, "/").one("p", "lede").text
    assert lede == (
        "The week of 4 August 2025: 34 lessons of 12 classes in 3 of 5 schools could be seen,"
        " likely Entry to Adaptation."
    )


def test_the_example_of_sharing_is_half_a_year_ahead(app: FastAPI) -> None:
    (until,) = re.findall(r"--until (\d{4}-\d\d-\d\d)", read(app, "/schools/dogwood-elementary").text)
    assert 180 <= (date.fromisoformat(until) - datetime.now(UTC).date()).days <= 184


def test_schools_stand_by_name_and_every_one_of_them(app: FastAPI) -> None:
    names = [link.text for link in read(app, "/").all("a") if link.attributes["href"].startswith("/schools/")]
    assert names == ["Alder Primary", HOSTILE, "Cedar High", "Dogwood Elementary", "Elm School"]


def test_a_hostile_name_is_text_and_nothing_else(app: FastAPI) -> None:
    slug = next(link.attributes["href"] for link in read(app, "/").all("a") if link.text == HOSTILE)
    for path in ("/", slug):
        text = get(app, path).text
        assert "<script" not in text
        assert "&lt;script&gt;" in text
    assert read(app, slug).one("h1").text == HOSTILE


def test_what_needs_a_hand_is_said_at_the_school_it_concerns(app: FastAPI) -> None:
    page = read(app, "/")
    said = " ".join(item.text for item in page.all("ul", "hand"))
    assert "Only 20% of device-time could be seen" in said
    assert "Nothing has come yet from apps that report (xAPI)" in said
    assert "run commonground agent join DIR TOKEN_FILE on the school’s machine" in said
    assert "nothing has arrived yet" in said


def test_silence_is_noticed(hub: Hub) -> None:
    hub.send(hub.join(SCHOOL), week())
    app = served_by(hub)
    assert "Nothing heard" not in read(app, "/").text
    hub.now += 2 * DAY
    assert "Nothing heard for more than a day" in read(app, "/").text


def test_simulated_and_inferred_are_said_on_top_where_they_hold(app: FastAPI, hub: Hub) -> None:
    for path in ("/", SCHOOL_PAGE, CLASS_PAGE):
        notice = read(app, path).one("div", "notices").text
        assert "Simulated schools." in notice
        assert "Inferred, not yet calibrated by walkthroughs." in notice
    marked = [name.text for name in read(app, "/").all("h3", "name") if name.text.endswith("simulated")]
    assert [name.split()[0] for name in marked] == ["Alder"]
    hub.send(hub.join("Real School"), week("Real School"))
    assert "Simulated" not in read(served_by(hub), "/").one("div", "notices").text


def test_an_empty_district_teaches_the_two_commands_that_fill_it(empty: FastAPI) -> None:
    page = read(empty, "/")
    assert "No school has joined yet" in page.text
    commands = [block.text for block in page.all("pre")]
    assert commands == [
        'commonground hub invite DIR --school "Alder Primary" --out token',
        "commonground agent join DIR token",
    ]
    assert "commonground hub import-usage" in read(empty, "/usage").text


def test_a_school_without_a_week_says_not_enough_evidence_and_what_would_help(app: FastAPI) -> None:
    page = read(app, "/schools/dogwood-elementary")
    assert page.one("p", "lede").text.startswith("Not enough evidence yet")
    assert "ten or more iPads, three classes and three teachers" in page.text
    assert not page.all("figure")


def test_when_a_school_joined_is_said_until_its_weeks_say_more(app: FastAPI) -> None:
    names = {path: [tag.text for tag in read(app, path).all("dt")] for path in PAGES[3:5]}
    assert all("Joined" in said for said in names.values())
    assert "Joined" not in [tag.text for tag in read(app, SCHOOL_PAGE).all("dt")]


def test_grades_stand_from_the_youngest_on() -> None:
    assert grade_words(("3-5", "9-12", "k-2")) == "K–2, 3–5 and 9–12"
    assert [grade_words((band,)) for band in ("all", "mixed")] == ["all together", "mixed"]


def test_a_school_shows_its_weeks_channels_and_blind_spot(app: FastAPI) -> None:
    page = read(app, SCHOOL_PAGE)
    names = [figure.attributes["id"] for figure in page.all("figure")]
    assert names == ["levels-tim", "weeks-tim", "contacted", "blind-spot"]
    says = {figure.attributes["id"]: " ".join(figure.text.split()) for figure in page.all("figure")}
    assert "5 weeks, 68 lessons. 2 weeks without lessons in between stay gaps." in says["weeks-tim"]
    assert "Apps contacted in the newest week" in says["contacted"]
    assert "Of 100 expected device-minutes, 50 could be seen" in says["blind-spot"]


def test_unshared_classes_are_told_of_and_not_shown(app: FastAPI) -> None:
    page = read(app, SCHOOL_PAGE)
    assert "never leave the school one by one" in page.text
    assert [heading.text for heading in page.all("h3", "name")] == [CODE]
    assert "No class is shared at present" in read(app, "/schools/cedar-high").text


def test_a_class_shows_each_lesson_and_what_cannot_be_seen(app: FastAPI) -> None:
    page = read(app, CLASS_PAGE)
    assert "In the newest lesson 40 of 100 expected device-minutes could be seen" in page.text
    earlier = [heading.text for heading in page.all("h3", "name")]
    assert len(earlier) == 4
    assert earlier[0].startswith("Thursday 4 September 2025")
    assert len(page.all("svg", "small")) == 2 * len(earlier)
    said = [" ".join(words.text.split()) for words in page.all("p", "said")]
    assert said[2].startswith("Not enough evidence yet.")
    assert "09:00, 45 minutes" in " ".join(earlier[0].split())


def test_what_left_no_trace_is_never_called_what_could_not_be_seen(app: FastAPI) -> None:
    page = read(app, CLASS_PAGE)
    (strip,) = [figure for figure in page.all("figure") if figure.attributes["id"] == "strip"]
    said = " ".join(strip.text.split())
    assert said.startswith("Of the expected device-time ") and "left a trace of apps" in said
    assert "No trace is not no use" in said and "seen" not in said.split("Only apps", 1)[0]


def test_no_page_promises_that_what_came_goes_when_sharing_ends(app: FastAPI) -> None:
    assert "these stay here when sharing ends" in " ".join(read(app, SCHOOL_PAGE).text.split())
    assert "what came until then stays here" in " ".join(read(app, CLASS_PAGE).text.split())


def test_how_sure_it_is_comes_before_what_the_levels_mean(app: FastAPI) -> None:
    headings = [heading.text for heading in read(app, "/how").all("h2")]
    assert headings[:2] == ["How sure is it?", "What cannot be seen"]
    assert headings[-1] == "What the levels mean"


def test_questions_come_from_what_was_seen_and_judge_nobody(app: FastAPI) -> None:
    text = read(app, CLASS_PAGE).one("ul", "questions").text
    assert "What was made, and who will see it?" in text
    assert "What was happening away from the network?" in text
    assert text.count("?") == MOST
    assert [question.ask for question in questions(())] == ["What would you like a visitor to notice?"]


def test_more_lessons_are_one_tap_away(hub: Hub) -> None:
    school = hub.join("Alder Primary")
    hub.send(school, *(shared_lesson(day) for day in range(1, 10)))
    late = [shared_lesson(1).start.replace("09-01", f"10-{day:02d}") for day in range(1, 10)]
    hub.send(school, *(msgspec.structs.replace(shared_lesson(1), start=start) for start in late))
    app = served_by(hub)
    page = read(app, CLASS_PAGE)
    assert len(page.all("h3", "name")) == 11
    (more,) = [link.attributes["href"] for link in page.all("a", "tap") if "more" in link.text]
    assert len(read(app, more).all("h3", "name")) == 17


def test_each_figures_numbers_can_be_taken_away_as_csv(app: FastAPI) -> None:
    for path in ("/", SCHOOL_PAGE, CLASS_PAGE, usage_page(app)):
        for link in read(app, path).all("a", "tap"):
            if "?data=" not in link.attributes["href"]:
                continue
            answer = get(app, link.attributes["href"])
            assert answer.headers["content-type"].startswith("text/csv")
            assert answer.headers["content-disposition"].startswith("attachment")
            rows = list(csv.reader(io.StringIO(answer.text)))
            assert len(rows) > 1
            assert {len(row) for row in rows} == {len(rows[0])}


def test_the_csv_holds_the_numbers_that_the_views_hold(app: FastAPI) -> None:
    answer = get(app, f"{SCHOOL_PAGE}?data=levels-tim")
    (active, *_) = csv.DictReader(io.StringIO(answer.text))
    view = app.state.views.school("alder-primary")
    known = view.weeks[-1].distribution[0]
    assert active["Characteristic"] == known.label
    assert [float(active[stage]) for stage in known.stages] == pytest.approx(list(known.shares))
    assert int(active["Lessons"]) == known.lessons


def test_usage_is_labelled_as_what_it_is_and_its_dirt_is_counted(app: FastAPI) -> None:
    page = read(app, usage_page(app))
    assert "not iPads" in page.one("p", "lede").text
    assert "evidence only, nothing is placed" in page.text
    view = app.state.views.usage_district(page.one("h1").text.split()[1])
    for tally in view.refused:
        assert f"{tally.count:,d} row" in page.text
    assert f"Of {view.district.rows:,d} rows" in page.text
    assert "LearnPlatform" in page.text


def test_facts_of_a_district_are_read_without_brackets() -> None:
    facts = {"pct_black/hispanic": "[0.2, 0.4[", "pp_total_raw": "[14000, 16000[", "locale": None}
    assert facts_words(facts) == [
        ("Learners who are Black or Hispanic", "20% to 40%"),
        ("Spending per learner", "$14,000 to $16,000"),
        ("Locale", "not given"),
    ]


def test_dates_are_written_as_the_reader_writes_them(app: FastAPI) -> None:
    american = read(app, CLASS_PAGE, language="en-US,en;q=0.9").text
    assert "Friday, September 5, 2025, 9:00 am" in american
    german = read(app, CLASS_PAGE, language="de-DE")
    assert "Friday 5 September 2025, 09:00" in german.text
    assert any(tag.attributes["datetime"] == "2025-09-05" for tag in german.all("time"))


@pytest.mark.parametrize(
    "path", ["/nowhere", "/schools/nobody", f"{SCHOOL_PAGE}/classes/none", "/usage/none", "/static/none.css"]
)
def test_an_address_that_leads_nowhere_gets_a_page_that_helps(app: FastAPI, path: str) -> None:
    if path.startswith("/static"):
        assert get(app, path).status_code == 404
        return
    page = read(app, path, 404)
    assert page.one("h1").text == "There is no such page"
    assert "Nothing was lost" in page.text


@pytest.mark.parametrize("path", [*PAGES, "/favicon.ico", "/nowhere"])
def test_asking_for_the_head_of_a_page_is_answered_as_the_page_is(app: FastAPI, path: str) -> None:
    whole, head = get(app, path), get(app, path, method="HEAD")
    assert head.status_code == whole.status_code
    assert dict(head.headers) == dict(whole.headers)


def test_the_api_keeps_its_own_answers(app: FastAPI) -> None:
    answer = get(app, "/api/v1/schools/nobody")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")


def test_a_fault_says_that_nothing_was_lost_and_shows_no_inside(hub: Hub) -> None:
    app = served_by(hub)

    class Broken:
        def district(self) -> None:
            raise RuntimeError("inside")

    app.state.views = Broken()
    page = read(app, "/", 500)
    assert "Nothing was lost" in page.text
    assert "inside" not in page.text
    assert "Traceback" not in page.text


def test_static_files_may_be_kept_for_ever_and_change_their_name_with_their_content(app: FastAPI) -> None:
    (sheet,) = [tag for tag in read(app, "/").all("link") if tag.attributes["rel"] == "stylesheet"]
    address = sheet.attributes["href"]
    assert re.fullmatch(r"/static/common\.[0-9a-f]{12}\.css", address)
    answer = get(app, address)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    assert get(app, "/static/..%2fcommon.css").status_code == 404


def test_no_page_of_a_layout_asks_anything_of_another_host(app: FastAPI, layout: Layout) -> None:
    for path in PAGES:
        for tag in Page(get(app, path).text).tags:
            assert "src" not in tag.attributes
            if tag.name == "link":
                assert tag.attributes["href"].startswith("/static/")
