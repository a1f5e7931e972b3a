"""Several models side by side: each at its grain, bands where no stage can be named, calibrated or not."""

import csv
import io
from collections.abc import Iterator

import msgspec
import pytest
from fastapi import FastAPI

from hub.known import Known
from hub.paths import Layout
from hub.views import Views
from hub.views.bands import HELD, band
from hub.views.term import BREAK_WEEKS, MOST_WEEKS, newest_term
from models.integration.load import load_model, model_names
from shared.errors import SettingsError
from shared.link.outcomes import Rejected, Settled
from tests.edge_agent.fits import make_fit, write_model
from tests.hub.hubs import Hub, temporary_hub
from tests.hub.pages_district import CODE, served_by
from tests.hub.pages_models import ALL, placed_lesson, reopened, scoring, several, week_of
from tests.hub.records import SCHOOL
from tests.shared.pages_reading import Page, check_page, get

SCHOOL_PAGE = "/schools/alder-primary"
CLASS_PAGE = f"{SCHOOL_PAGE}/classes/{CODE}"
LESSON_PAGE = f"{CLASS_PAGE}/lessons/20250903T090000"
LESSON_WIDE = ["Technology Integration Matrix", "PICRAT", "SAMR", "The valley model"]


@pytest.fixture(scope="module")
def app() -> Iterator[FastAPI]:
    """A school read with six models; its pages only read."""
    with temporary_hub() as hub:
        opened, app = several(hub)
        yield app
        opened.close()


def read(app: FastAPI, path: str) -> Page:
    """A page, checked for what holds on every one."""
    answer = get(app, path)
    assert answer.status_code == 200
    page = Page(answer.text)
    check_page(page)
    return page


def figures(page: Page) -> dict[str, str]:
    """What each figure says, by its name."""
    return {one.attributes["id"]: " ".join(one.text.split()) for one in page.all("figure")}


def choices(page: Page) -> dict[str, str]:
    """Models that the page can be read with, and where to."""
    texts = {link.attributes["href"]: link.text for link in page.all("a", "tap")}
    return {text: href for href, text in texts.items() if text in page.one("ul", "choices").text}


def test_tim_stands_first_and_every_other_model_is_one_link_away(app: FastAPI) -> None:
    for path in ("/", CLASS_PAGE, LESSON_PAGE):
        page = read(app, path)
        assert list(choices(page)) == LESSON_WIDE
        assert "levels-tim" in figures(page)
        for name, address in choices(page).items():
            other = read(app, address)
            current = [link.text for link in other.all("a") if link.attributes.get("aria-current") == "true"]
            assert current == [name]


def test_with_one_model_there_is_nothing_to_choose(hub: Hub) -> None:
    hub.send(hub.join(SCHOOL), week_of(scoring(hub, ["tim"]), "2025-W32"))
    page = read(served_by(hub), "/")
    assert not page.all("ul", "choices")
    assert "Read with one model" not in page.text


def test_an_unknown_model_in_the_address_shows_the_first(app: FastAPI) -> None:
    assert "levels-tim" in figures(read(app, "/?model=%3Cscript%3E"))


def test_a_banded_model_never_names_one_stage(app: FastAPI) -> None:
    stages = [stage.name for stage in load_model("samr").dimensions[0].stages]
    for path in ("/", SCHOOL_PAGE, CLASS_PAGE, LESSON_PAGE):
        page = read(app, f"{path}?model=samr")
        said = figures(page)["levels-samr"]
        assert "omewhere from Substitution to Modification." in said
        assert "only a wide band is honest" in said
        (drawn,) = [tag for tag in page.tags if tag.attributes.get("id") == "levels-samr-wide-text"]
        assert drawn.text == "Task: somewhere from Substitution to Modification."
        answer = get(app, f"{path}?data=levels-samr")
        (row,) = csv.DictReader(io.StringIO(answer.text))
        assert not set(row) & set(stages), "no share of one stage is told"
        assert (row["From"], row["To"]) == ("Substitution", "Modification")


def test_the_districts_sentence_speaks_in_the_words_of_the_chosen_model(app: FastAPI) -> None:
    ledes = {model: read(app, f"/?model={model}").one("p", "lede").text for model in ("tim", "samr", "acot")}
    assert ledes["tim"].endswith(", likely Entry to Adoption.")
    assert ledes["samr"].endswith(", somewhere from Substitution to Modification.")
    assert ledes["acot"] == ledes["tim"], "a model of a term is no choice here"


def test_the_page_on_how_one_knows_tells_what_is_said_against_each_model(app: FastAPI) -> None:
    told = " ".join(read(app, "/how").text.split())
    for name in model_names():
        said = load_model(name).criticism
        assert said
        for one in said:
            assert f"{one.text} Source: {one.source}." in told


def test_a_band_is_hatched_while_uncalibrated_and_says_so(app: FastAPI) -> None:
    page = read(app, "/?model=samr")
    (band_drawn, *_) = [tag for tag in page.tags if "c-band" in tag.attributes.get("class", "")]
    hatched = [
        tag
        for tag in page.tags
        if tag.attributes.get("fill", "").endswith("-hatch)")
        and tag.attributes.get("width") == band_drawn.attributes["width"]
    ]
    assert hatched
    assert "inferred" in [mark.text.strip() for mark in page.all("a", "mark")]


def test_a_model_of_a_term_stands_on_the_schools_page_alone_and_says_why(app: FastAPI) -> None:
    assert "ACOT stages and LoTi, Levels of Teaching Innovation: not here" in read(app, "/").text
    page = read(app, f"{SCHOOL_PAGE}?model=acot")
    assert list(figures(page)) == ["term-acot", "contacted", "blind-spot"]
    assert (
        "Over the term, 6 weeks, 79 lessons in the weeks from 23 Jun to 4 Aug" in figures(page)["term-acot"]
    )
    assert "One lesson or one week says nothing" in page.text
    for path in ("/?model=acot", f"{CLASS_PAGE}?model=loti", f"{LESSON_PAGE}?model=acot"):
        assert "levels-tim" in figures(read(app, path))
        assert not [name for name in figures(read(app, path)) if "acot" in name or "loti" in name]


def test_no_week_and_no_lesson_of_the_api_carries_a_model_of_a_term(app: FastAPI) -> None:
    long = {"acot", "loti"}
    district = get(app, "/api/v1/district").json()
    school = get(app, f"/api/v1{SCHOOL_PAGE}").json()
    shown = get(app, f"/api/v1{CLASS_PAGE}").json()
    told = [
        district["distribution"],
        school["distribution"],
        *(one["distribution"] for one in school["weeks"]),
    ]
    told += [one["placements"] for one in shown["lessons"]]
    for items in told:
        assert items
        assert not {one["model"] for one in items} & long
    assert set(district["term_models"]) == long
    assert {one["model"] for one in school["term"]["distribution"]} == set(ALL)
    term = list(csv.DictReader(io.StringIO(get(app, f"/api/v1{SCHOOL_PAGE}/term.csv").text)))
    assert {row["model"] for row in term} == set(ALL)
    assert {row["shown_as"] for row in term if row["model"] == "acot"} == {"band"}


def test_a_term_that_has_just_begun_has_not_enough_evidence_and_says_what_would_help(hub: Hub) -> None:
    hub, app = several(hub, weeks=(26, 31, 32))
    page = read(app, f"{SCHOOL_PAGE}?model=acot")
    assert "Not enough evidence yet: 2 weeks of this term so far. It appears with 4 weeks" in page.text
    assert not [name for name in figures(page) if "acot" in name]
    hub.close()


def test_a_model_of_a_term_that_a_lessons_record_carries_is_not_shown(hub: Hub) -> None:
    school = hub.join(SCHOOL)
    assert hub.send(school, placed_lesson(1, scoring(hub, ["tim", "acot"]))) == [Settled(1)]
    view = hub.views.school_class("alder-primary", CODE)
    assert view is not None
    assert {one.model for one in view.lessons[0].placements} == {"tim"}


def test_placed_lessons_are_outlined_and_not_hatched(hub: Hub) -> None:
    fit = make_fit()
    by = scoring(hub, ["tim"], fit)
    record = placed_lesson(1, by, publish_share=0.2, collaborate_share=0.2, consume_share=0.2)
    placed = [one for one in record.placements if one.verdict == "placed"]
    assert placed and len(placed) < 5, "some are placed, some are too wide to say"
    hub.send(hub.join(SCHOOL), record)
    app = served_by(hub)
    page = read(app, CLASS_PAGE)
    outlines = page.all("svg:rect", "c-set")
    assert len(outlines) == 2 * len(placed) + 1, "wide, narrow, and in the key"
    assert not [tag for tag in page.tags if tag.attributes.get("fill", "").startswith("url(#levels")]
    assert "the levels it may be" in page.all("div", "key")[0].text
    assert not [notice for notice in page.all("div", "notices") if "Inferred" in notice.text]
    marks = [mark.text.strip() for mark in page.all("a", "mark")]
    assert "calibrated by walkthroughs" in marks and "inferred" not in marks
    rows = list(csv.DictReader(io.StringIO(get(app, f"{CLASS_PAGE}?data=levels-tim").text)))
    for row, one in zip(rows, record.placements, strict=True):
        names = [stage.name for stage in load_model("tim").dimensions[0].stages]
        ends = (names[one.low or 0], names[one.high or 0]) if one.verdict == "placed" else ("", "")
        assert (row["From"], row["To"]) == ends


def test_a_week_is_calibrated_when_every_lesson_in_it_is(hub: Hub) -> None:
    fit = make_fit(ratings={"goal_directed": 49})
    hub.send(hub.join(SCHOOL), week_of(scoring(hub, ["tim"], fit), "2025-W32"))
    found = {one.dimension: one.calibrated for one in hub.views.district().distribution}
    assert found.pop("goal_directed") is False
    assert set(found.values()) == {True}
    marks = [mark.text.strip() for mark in read(served_by(hub), "/").all("a", "mark")]
    assert marks[-2:] == ["inferred", "calibrated by walkthroughs"]


def test_inferred_and_calibrated_lessons_are_never_added_up(hub: Hub) -> None:
    fit = make_fit()
    hub.send(hub.join(SCHOOL), week_of(scoring(hub, ["tim"], fit), "2025-W32", 30))
    other = msgspec.structs.replace(week_of(scoring(hub, ["tim"]), "2025-W32", 10), school="Birch")
    hub.send(hub.join("Birch"), other)
    (active, *_) = hub.views.district().distribution
    assert (active.version, active.lessons, active.other_versions) == (f"1+{fit.content[:12]}", 30, 10)


def test_a_districts_own_model_is_taken_and_shown_and_without_its_file_refused(hub: Hub) -> None:
    write_model(hub.layout.models)
    record = placed_lesson(1, scoring(hub, ["tim", "valley"]))
    school = hub.join(SCHOOL)
    assert hub.send(school, record) == [Rejected(1, "unknown_model")]
    again = reopened(hub)
    assert again.send(again.join("Birch"), msgspec.structs.replace(record, school="Birch")) == [Settled(1)]
    page = read(served_by(again), f"/schools/birch/classes/{CODE}?model=valley")
    assert "Making" in figures(page)["levels-valley"]
    assert "The valley model" in read(served_by(again), "/how").text
    assert [one.id for one in again.views.status().models if one.own] == ["valley"]
    again.close()


def test_another_version_of_a_model_is_refused_with_its_reason(hub: Hub) -> None:
    write_model(hub.layout.models, version="2")
    record = placed_lesson(1, scoring(hub, ["valley"]))
    write_model(hub.layout.models, version="3")
    again = reopened(hub)
    assert again.send(again.join(SCHOOL), record) == [Rejected(1, "unknown_version")]
    again.close()


def test_a_model_file_that_is_wrong_stops_the_hub_with_one_line(layout: Layout) -> None:
    path = write_model(layout.models)
    path.write_text(path.read_text().replace("create_share", "create_shar"))
    with pytest.raises(SettingsError, match=rf"{path}:\d+: .*did you mean") as refused:
        Views(layout.folder)
    assert "\n" not in str(refused.value)


def test_records_of_a_model_whose_file_is_gone_still_show_by_their_ids(hub: Hub) -> None:
    path = write_model(hub.layout.models)
    opened = reopened(hub)
    opened.send(opened.join(SCHOOL), placed_lesson(1, scoring(opened, ["tim", "valley"])))
    path.unlink()
    bare = reopened(opened)
    page = read(served_by(bare), f"{CLASS_PAGE}?model=valley")
    assert "Making" in figures(page)["levels-valley"]
    assert "does not know the version of the model" in page.text
    bare.close()


@pytest.mark.parametrize(
    ("shares", "chosen", "found"),
    [
        ((0.9, 0.05, 0.05), None, (0, 1)),
        ((0.05, 0.05, 0.9), None, (1, 2)),
        ((0.1, 0.5, 0.35, 0.05), None, (1, 2)),
        ((0.25, 0.25, 0.25, 0.25), None, (0, 3)),
        ((0.2, 0.6, 0.2), (1, 1), (0, 1)),
        ((0.1, 0.6, 0.3), (1, 1), (1, 2)),
        ((0.1, 0.6, 0.3), (0, 2), (0, 2)),
        ((0.7, 0.3), (0, 0), (0, 1)),
        ((), None, None),
    ],
)
def test_a_band_holds_four_fifths_or_its_set_and_never_one_stage_alone(
    shares: tuple[float, ...], chosen: tuple[int, int] | None, found: tuple[int, int] | None
) -> None:
    assert band(shares, chosen) == found
    if found and chosen is None:
        assert sum(shares[found[0] : found[1] + 1]) >= HELD - 1e-9


def test_a_term_begins_after_a_break_and_is_half_a_year_at_most() -> None:
    weeks = [f"2025-W{n:02d}" for n in range(1, 21)]
    assert newest_term(weeks) == tuple(weeks)
    after = [*weeks, f"2025-W{20 + BREAK_WEEKS:02d}"]
    assert newest_term(after) == tuple(after), "two weeks without a lesson are a holiday inside a term"
    assert newest_term([*weeks, f"2025-W{21 + BREAK_WEEKS:02d}"]) == (f"2025-W{21 + BREAK_WEEKS:02d}",)
    year = [f"2025-W{n:02d}" for n in range(1, 53)]
    assert newest_term(year) == tuple(year[-MOST_WEEKS:])
    assert newest_term(["2025-W51", "2026-W01"]) == ("2025-W51", "2026-W01")
    assert newest_term([]) == ()


def test_models_are_listed_with_tim_first_and_their_dimensions_in_order() -> None:
    known = Known.load()
    assert known.models[0].id == "tim"
    assert sorted(model.id for model in known.models[1:]) == [model.id for model in known.models[1:]]
    assert known.order("tim", "active") < known.order("tim", "authentic") < known.order("acot", "practice")
    assert known.label("gone", "some_thing") == "Some thing"
    assert known.stage_names("tim", "active", 3) == ("Stage 1", "Stage 2", "Stage 3")
