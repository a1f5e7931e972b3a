"""Every placement explains itself or says why it cannot: from the record, the same numbers as in school."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from hub.explain import CLOSE, Explainer
from hub.known import Known
from hub.pages.signs import here_words, opening, sign_words, typical_words
from hub.views import LessonView, Moved
from models.features.set1 import FEATURES
from models.scoring.fit_file import Fit
from models.scoring.scorer import Scorer
from shared.errors import SettingsError
from shared.records import LessonRecord
from tests.edge_agent.fits import altered, make_fit, write_fit, write_model
from tests.hub.hubs import Hub
from tests.hub.pages_district import CODE, served_by
from tests.hub.pages_models import placed_lesson, reopened, scoring
from tests.hub.records import SCHOOL
from tests.shared.pages_reading import Page, check_page, get

CLASS_PAGE = f"/schools/alder-primary/classes/{CODE}"


def told(hub: Hub, record: LessonRecord, *fits: Fit) -> tuple[Moved, ...]:
    """What a hub with these fits says of a record that it took."""
    hub.send(hub.join(SCHOOL), record)
    return Explainer(hub.views.known, fits).explain(shown(hub))


def shown(hub: Hub) -> LessonView:
    view = hub.views.school_class("alder-primary", CODE)
    assert view is not None
    return view.lessons[-1]


def test_contributions_sum_to_the_whole_and_are_the_scorers_own(hub: Hub) -> None:
    record = placed_lesson(1, scoring(hub, ["tim"]))
    found = told(hub, record)
    assert [one.dimension for one in found] == [one.dimension for one in record.placements]
    row = np.array([[record.features[name] for name in FEATURES]], np.float64)
    scored = Scorer.for_model("tim").score(row)
    for d, one in enumerate(found):
        assert one.why_not == ""
        assert one.total == pytest.approx(float(scored.score[0, d]), abs=1e-6)
        assert sum(item.push for item in one.contributions) == pytest.approx(one.total, abs=1e-6)
        pushes = {item.feature: item.push for item in one.contributions}
        for name, push in zip(FEATURES, scored.contributions[0, d], strict=True):
            assert pushes.get(name, 0.0) == pytest.approx(push, abs=1e-9)
        strengths = [abs(item.push) for item in one.contributions]
        assert strengths == sorted(strengths, reverse=True)


def test_what_could_not_be_seen_moves_nothing_and_is_listed(hub: Hub) -> None:
    found = told(hub, placed_lesson(1, scoring(hub, ["tim"])))
    unseen = [item for one in found for item in one.contributions if item.value is None]
    assert unseen
    assert {item.push for item in unseen} == {0.0}


def test_a_fitted_placement_is_explained_by_the_fit_that_the_hub_holds(hub: Hub) -> None:
    fit = make_fit()
    found = told(hub, placed_lesson(1, scoring(hub, ["tim"], fit)), make_fit(shift=0.9), fit)
    assert {one.why_not for one in found} == {""}
    assert {item.typical for one in found for item in one.contributions} == {0.2}, "the fit's own reference"


def test_a_fit_without_its_people_places_the_same_and_explains_too(hub: Hub) -> None:
    fit = make_fit()
    bare = msgspec.structs.replace(fit, ratings_digest="1" * 64).without_people()
    assert bare.content != fit.content
    found = told(hub, placed_lesson(1, scoring(hub, ["tim"], fit)), bare)
    assert {one.why_not for one in found} == {""}


def test_without_the_fit_nothing_is_shown_but_what_to_do(hub: Hub) -> None:
    fit = make_fit()
    found = told(hub, placed_lesson(1, scoring(hub, ["tim"], fit)))
    assert {one.contributions for one in found} == {()}
    (why,) = {one.why_not for one in found}
    assert fit.content[:12] in why and "`fits` folder" in why


@pytest.mark.parametrize(("by", "close"), [(CLOSE * 0.9, True), (CLOSE * 1.2, False)])
def test_probabilities_that_differ_from_the_records_are_not_explained(
    hub: Hub, by: float, close: bool
) -> None:
    record = placed_lesson(1, scoring(hub, ["tim"]))
    first, *others = record.placements
    low, high, *rest = first.probs
    bent = msgspec.structs.replace(first, probs=(low - by, high + by, *rest))
    (active, *untouched) = told(hub, msgspec.structs.replace(record, placements=(bent, *others)))
    assert (active.why_not == "") is close
    assert {one.why_not for one in untouched} == {""}
    if not close:
        assert "comes out differently" in active.why_not
        assert active.contributions == () and active.total is None


def test_evidence_says_how_much_of_each_difference_is_kept(hub: Hub) -> None:
    by = scoring(hub, ["tim"])
    school = hub.join(SCHOOL)
    kept = {}
    for evidence in (30.0, 900.0):
        record = placed_lesson(1, by, evidence=evidence)
        hub.send(school, msgspec.structs.replace(record, revision=int(evidence)))
        kept[evidence] = Explainer(hub.views.known).explain(shown(hub))[0].kept
    assert kept[30.0] is not None and kept[30.0] < 0.5
    assert kept[900.0] == 1.0


def test_typical_says_whether_a_simulator_made_the_lessons_behind_it(hub: Hub) -> None:
    record = placed_lesson(1, scoring(hub, ["tim"]))
    assert {one.typical_simulated for one in told(hub, record)} == {True}
    app = served_by(hub)
    assert "Typical is the mean of lessons that a simulator made" in get(app, CLASS_PAGE).text


def test_the_page_tells_each_dimension_in_words_numbers_and_a_drawing(hub: Hub) -> None:
    record = placed_lesson(1, scoring(hub, ["tim"]), create_share=0.34)
    hub.send(hub.join(SCHOOL), record)
    app = served_by(hub)
    for path in (CLASS_PAGE, f"{CLASS_PAGE}/lessons/20250901T090000"):
        page = Page(get(app, path).text)
        check_page(page)
        summaries = [one.text for one in page.all("summary") if one.text.startswith("What moved this: ")]
        assert len(summaries) == 5
        assert "Time in apps for making" in page.text
        assert "34% of time in apps, typical" in page.text
        rows = list(csv.DictReader(io.StringIO(get(app, f"{path}?data=moved-tim-active").text)))
        pushes = [float(row["By, in log-odds"]) for row in rows]
        assert rows[-1]["In words"] == "All together"
        assert sum(pushes[:-1]) == pytest.approx(pushes[-1], abs=1e-6)
        drawn = next(tag for tag in page.tags if tag.attributes.get("id") == "moved-tim-active-wide-text")
        assert "Time in apps for making (34% of time in apps, typical" in drawn.text


def test_the_page_of_an_unexplained_lesson_says_why_and_draws_nothing(hub: Hub) -> None:
    hub.send(hub.join(SCHOOL), placed_lesson(1, scoring(hub, ["tim"], make_fit())))
    page = Page(get(served_by(hub), CLASS_PAGE).text)
    check_page(page)
    assert "which this hub does not hold" in page.text
    assert not [one for one in page.all("figure") if one.attributes["id"].startswith("moved")]


def test_every_earlier_lesson_leads_to_what_moved_it(hub: Hub) -> None:
    by = scoring(hub, ["tim"])
    hub.send(hub.join(SCHOOL), *(placed_lesson(day, by) for day in (1, 2, 3)))
    app = served_by(hub)
    page = Page(get(app, CLASS_PAGE).text)
    links = [link.attributes["href"] for link in page.all("a") if "/lessons/" in link.attributes["href"]]
    assert links == [f"{CLASS_PAGE}/lessons/2025090{day}T090000" for day in (2, 1)]
    for link in links:
        other = Page(get(app, link).text)
        check_page(other)
        assert "What moved this: Active" in other.text


@pytest.mark.parametrize("when", ["20250909T090000", "2025", "x", "2025-09-01T09:00:00", "99999999T999999"])
def test_a_lesson_that_is_not_there_gets_a_page_that_helps(hub: Hub, when: str) -> None:
    hub.send(hub.join(SCHOOL), placed_lesson(1, scoring(hub, ["tim"])))
    answer = get(served_by(hub), f"{CLASS_PAGE}/lessons/{when}")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_the_api_tells_the_same(hub: Hub) -> None:
    hub.send(hub.join(SCHOOL), placed_lesson(1, scoring(hub, ["tim", "samr"])))
    app = served_by(hub)
    found = get(app, f"/api/v1{CLASS_PAGE}/moved").json()
    assert [one["model"] for one in found] == ["tim"] * 5 + ["samr"]
    rows = list(csv.DictReader(io.StringIO(get(app, f"/api/v1{CLASS_PAGE}/moved.csv").text)))
    for one in found:
        own = [
            float(row["push"])
            for row in rows
            if (row["model"], row["dimension"]) == (one["model"], one["dimension"])
        ]
        assert sum(own) == pytest.approx(one["total"], abs=1e-6)


def test_a_model_of_the_districts_own_explains_itself_too(hub: Hub) -> None:
    write_model(hub.layout.models)
    record = placed_lesson(1, scoring(hub, ["valley"]))
    known = Known.load(hub.layout.models)
    hub.inbox._known = known
    hub.send(hub.join(SCHOOL), record)
    (found,) = Explainer(known).explain(shown(hub))
    assert {item.feature for item in found.contributions} == {"create_share", "consume_share"}


def with_levels(known: Known, levels: int) -> Known:
    """The district's `valley`, of which one scale has so many levels now, beside a longer one."""
    model = known.get("valley")
    assert model is not None
    (making,) = model.dimensions
    stage, rates = making.stages[0], (1 / 5,) * 5
    longer = replace(making, id="longer", stages=(stage,) * 5, base_rates=rates)
    changed = replace(making, stages=(stage,) * levels, base_rates=(1 / levels,) * levels)
    return Known([replace(model, dimensions=(changed, longer))])


@pytest.mark.parametrize("levels", [2, 4])
def test_a_model_with_other_levels_than_it_placed_on_is_not_asked(hub: Hub, levels: int) -> None:
    write_model(hub.layout.models)
    record = placed_lesson(1, scoring(hub, ["valley"]))
    again = reopened(hub)
    again.send(again.join(SCHOOL), record)
    (found,) = Explainer(with_levels(again.views.known, levels)).explain(shown(again))
    assert found.contributions == ()
    assert f"has {levels} levels here and had 3 when it placed this" in found.why_not
    again.close()


def test_a_page_of_a_model_that_lost_a_level_still_opens_and_says_why(hub: Hub) -> None:
    path = write_model(hub.layout.models)
    record = placed_lesson(1, scoring(hub, ["valley"]))
    again = reopened(hub)
    again.send(again.join(SCHOOL), record)
    text = path.read_text().replace("[0.4, 0.4, 0.2]", "[0.5, 0.5]").replace("carries = ", "# carries = ")
    path.write_text(text.replace(text[text.index('[[stages]]\nid = "carries"') : text.index("[[dim")], ""))
    changed = reopened(again)
    for address in (CLASS_PAGE, f"{CLASS_PAGE}/lessons/20250901T090000"):
        page = Page(get(served_by(changed), address).text)
        check_page(page)
        assert "The model has 2 levels here and had 3 when it placed this" in page.text
    changed.close()


@pytest.mark.parametrize("wrong", ["altered", "other_version", "unknown_model", "no_json"])
def test_a_fit_of_no_use_stops_the_hub_with_one_line(hub: Hub, tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "fit.json"
    fit = make_fit()
    if wrong == "other_version":
        fit = msgspec.structs.replace(fit, version="0")
    if wrong == "unknown_model":
        fit = msgspec.structs.replace(fit, model="elsewhere")
    write_fit(path, fit)
    if wrong == "altered":
        altered(path)
    if wrong == "no_json":
        path.write_text("{")
    with pytest.raises(SettingsError) as refused:
        Explainer.load(hub.views.known, tmp_path)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_every_feature_that_can_move_anything_has_plain_words() -> None:
    for name in FEATURES[:-1]:
        assert "_" not in sign_words(name)
        assert sign_words(name) != name.replace("_", " ")
        assert here_words(name, None) == "not visible"
        assert typical_words(name, 0.21)
    assert here_words("create_share", 0.34) == "34% of time in apps"
    assert (here_words("ar_use", 1.0), here_words("ar_use", 0.0)) == ("yes", "no")
    assert opening("synchrony").startswith("iPads on the same app")
