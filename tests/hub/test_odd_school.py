"""One odd school never takes a page away from the others, whatever stands in the store."""

import sqlite3

import msgspec
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from hub.api.reading import csv_answer
from hub.pages.figures.distribution import by_scale
from hub.pages.words import likely, seen_words
from shared.link.outcomes import Settled
from tests.hub.hubs import Hub
from tests.hub.pages_district import served_by
from tests.hub.records import DIMENSIONS, SCHOOL, lesson, status, week
from tests.shared.pages_reading import Page, get

ODD = "Odd School"
PATHS = ("/", "/api/v1/district", "/api/v1/district/distribution.csv", "/api/v1/schools", "/api/v1/status")


@pytest.fixture
def app(hub: Hub) -> FastAPI:
    """Two sound schools and one that is about to become odd."""
    for name in (SCHOOL, "Birch Academy", ODD):
        enrolment = hub.join(name)
        assert hub.send(enrolment, week(name), lesson(name), status(name)) == [
            Settled(1),
            Settled(2),
            Settled(3),
        ]
    return served_by(hub)


def spoil(hub: Hub, statement: str) -> None:
    """Change what the odd school has in the store, as no record could."""

    def work(own: sqlite3.Connection) -> None:
        odd = "(SELECT id FROM schools WHERE name = 'Odd School')"
        own.executescript(f"SAVEPOINT spoil; {statement.replace('ODD', odd)}; RELEASE spoil;")

    connection = sqlite3.connect(hub.layout.database)
    work(connection)
    connection.close()


SEVEN = """
    INSERT INTO scales (model, dimension, version, stages) VALUES ('tim', '{0}', '1', 7);
    UPDATE week_placements SET expected = '[1,1,1,1,1,1,1]',
      scale_id = (SELECT id FROM scales WHERE stages = 7)
      WHERE week_id IN (SELECT id FROM weeks WHERE school_id = ODD)
        AND scale_id = (SELECT id FROM scales WHERE dimension = '{0}' AND stages = 5)
"""
SPOILED = {
    "seven_stages": SEVEN.format("active"),
    "seven_stages_further_down": SEVEN.format("authentic"),
    "too_few_for_its_scale": "UPDATE week_placements SET expected = '[1]' WHERE week_id IN"
    " (SELECT id FROM weeks WHERE school_id = ODD)",
    "no_json": "UPDATE week_placements SET expected = 'x' WHERE week_id IN"
    " (SELECT id FROM weeks WHERE school_id = ODD)",
    "negative": "UPDATE week_placements SET expected = '[-1,0,0,0,0]' WHERE week_id IN"
    " (SELECT id FROM weeks WHERE school_id = ODD)",
    "heartbeat": "UPDATE heartbeats SET sources = '[{' WHERE school_id = ODD",
    "freshness": """UPDATE heartbeats SET sources = '[{"kind":"dnsmasq","fresh":"yesterday"}]'
      WHERE school_id = ODD""",
}


@pytest.mark.parametrize("statement", SPOILED.values(), ids=SPOILED)
def test_the_district_is_whole_for_everybody_else(hub: Hub, app: FastAPI, statement: str) -> None:
    spoil(hub, statement)
    for path in PATHS:
        assert get(app, path).status_code == 200, path
    page = Page(get(app, "/").text)
    links = [link.text for link in page.all("a") if link.attributes["href"].startswith("/schools/")]
    assert links == [SCHOOL, "Birch Academy", ODD]
    view = hub.views.district()
    for one in view.distribution:
        assert len(one.stages) == len(one.expected) == 5
        assert one.schools >= 2
    assert [one.dimension for one in view.distribution] == list(DIMENSIONS)


def test_what_is_left_out_is_said_in_the_log_without_its_content(hub: Hub, app: FastAPI) -> None:
    spoil(hub, SPOILED["negative"])
    with capture_logs() as said:
        hub.views.district()
    assert [(one["event"], one["school_id"], one["week"]) for one in said] == [
        ("week_left_out", 3, "2025-W36")
    ] * len(DIMENSIONS)


@pytest.mark.parametrize("statement", SPOILED.values(), ids=SPOILED)
def test_the_odd_schools_own_page_comes_too(hub: Hub, app: FastAPI, statement: str) -> None:
    spoil(hub, statement)
    assert get(app, "/schools/odd-school").status_code == 200
    assert get(app, "/schools/odd-school?data=weeks-tim").status_code == 200


@pytest.mark.parametrize("dimension", ["active", "authentic"])
def test_a_district_of_two_scales_draws_each_by_itself(hub: Hub, dimension: str) -> None:
    """As a model may have it whose dimensions have stages of their own."""
    hub.send(hub.join(ODD), week(ODD))
    spoil(hub, SEVEN.format(dimension))
    app = served_by(hub)
    figures = [figure.attributes["id"] for figure in Page(get(app, "/").text).all("figure")]
    assert figures == ["levels-tim", "levels-tim-2"]
    assert get(app, "/?data=levels-tim-2").status_code == 200
    scales = by_scale(hub.views.district().distribution)
    assert sorted(len(items) for items in scales.values()) == [1, 4]
    assert all(len({one.stages for one in items}) == 1 for items in scales.values())


def test_a_lesson_of_two_scales_has_a_page(hub: Hub) -> None:
    hub.send(hub.join(ODD), lesson(ODD), lesson(ODD, start="2025-09-02T09:00:00+02:00"))
    spoil(
        hub,
        """INSERT INTO scales (model, dimension, version, stages) VALUES ('tim', 'authentic', '1', 2);
           UPDATE placements SET probs = '[0.5,0.5]', scale_id = (SELECT id FROM scales WHERE stages = 2)
           WHERE scale_id = (SELECT id FROM scales WHERE dimension = 'authentic' AND stages = 5)""",
    )
    assert get(served_by(hub), "/schools/odd-school/classes/7f3k").status_code == 200


def test_one_school_of_many_lessons_does_not_choose_the_version_that_all_are_shown_by(hub: Hub) -> None:
    for name in ("Alder", "Birch"):
        hub.send(hub.join(name), week(name, lessons=10))
    loud = week(ODD, lessons=10_000, expected=(0, 0, 0, 0, 10_000), version="1+999999999999")
    loud = msgspec.structs.replace(loud, classes=200)
    assert hub.send(hub.join(ODD), loud) == [Settled(1)]
    for one in hub.views.district().distribution:
        assert (one.version, one.lessons, one.other_versions) == ("1", 20, 10_000)


def test_a_class_code_of_two_lines_is_no_file_name(hub: Hub) -> None:
    hub.send(hub.join(SCHOOL), lesson())
    app = served_by(hub)
    for suffix in ("", "/lessons.csv", "/placements.csv", "/strip.csv"):
        assert get(app, f"/api/v1/schools/alder-primary/classes/7f3k%0A{suffix}").status_code == 404
    answer = csv_answer('a"\r\nSet-Cookie: b', ["x"], [])
    assert answer.headers["content-disposition"] == 'attachment; filename="a___Set-Cookie__b.csv"'


def test_even_a_code_that_came_into_the_store_some_other_way_gives_a_sound_header(hub: Hub) -> None:
    hub.send(hub.join(SCHOOL), lesson())
    spoil(hub, "UPDATE lessons SET class = 'abc' || char(10)")
    answer = get(served_by(hub), "/api/v1/schools/alder-primary/classes/abc%0A/lessons.csv")
    assert answer.headers["content-disposition"] == ('attachment; filename="alder-primary-abc_-lessons.csv"')


@pytest.mark.parametrize(
    ("visibility", "minutes"), [(1.0, 100), (0.857143, 86), (0.9999, 99), (0.0001, 1), (0.0, 0)]
)
def test_what_was_seen_is_told_in_time_and_never_rounded_to_all_or_nothing(
    visibility: float, minutes: int
) -> None:
    assert seen_words(visibility) == f"{minutes} of 100 expected device-minutes could be seen"


def test_runs_that_are_likely_are_as_before() -> None:
    assert likely((0.1, 0.2, 0.4, 0.2, 0.1)) == (1, 3)
    assert likely(()) is None
