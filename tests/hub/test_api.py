"""The API tells what the views tell, says what is missing, and keeps other sites out."""

import asyncio
import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import given, settings
from schemathesis.core.result import Ok

from hub.paths import Layout
from hub.server import create_app
from hub.store import alarms
from tests.hub.hubs import Hub
from tests.hub.records import DIMENSIONS, SCHOOL, lesson, status, week


@pytest.fixture
def app(hub: Hub, layout: Layout) -> Iterator[FastAPI]:
    """Pages and API over a hub with one school and one shared class."""
    hub.send(hub.join(SCHOOL), lesson(), week(), week(name="2025-W37"), status())
    made = create_app(layout.folder)
    yield made
    made.state.views.close()


def get(app: FastAPI, path: str, host: str = "127.0.0.1", **headers: str) -> httpx.Response:
    """One request, without a socket."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


def table(app: FastAPI, path: str) -> list[dict[str, str]]:
    """A CSV answer by column."""
    answer = get(app, path)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_district_the_school_and_the_class_answer(app: FastAPI) -> None:
    district = get(app, "/api/v1/district").json()
    assert (district["week"], district["facts"]["lessons"]) == ("2025-W37", 10)
    assert [one["dimension"] for one in district["distribution"]] == list(DIMENSIONS)
    assert get(app, "/api/v1/district?weeks=2").json()["facts"]["lessons"] == 20
    school = get(app, "/api/v1/schools/alder-primary").json()
    assert [one["week"] for one in school["weeks"]] == ["2025-W36", "2025-W37"]
    shown = get(app, "/api/v1/schools/alder-primary/classes/7f3k").json()
    assert shown["lessons"][0]["features"]["artefact_rate"] is None
    assert get(app, "/api/v1/status").json()["schools"][0]["backlog"] == 3
    assert get(app, "/healthz").json() == {"status": "ok"}


def test_alarms_answer_those_that_stand_and_those_that_were_cleared_when_asked(
    app: FastAPI, hub: Hub
) -> None:
    assert get(app, "/api/v1/alarms").json() == []
    hub.send(hub.join("Birch"), lesson("Cedar"))
    (one,) = get(app, "/api/v1/alarms").json()
    assert (one["school"], one["slug"], one["reason"], one["cleared"]) == (
        "Birch",
        "birch",
        "another_school",
        None,
    )
    assert get(app, "/api/v1/district").json()["alarms"] == [one]
    assert get(app, "/api/v1/status").json()["alarms"] == [one]
    hub.writer.run(lambda own: alarms.clear(own, "all", hub.now))
    assert get(app, "/api/v1/alarms").json() == []
    assert [it["id"] for it in get(app, "/api/v1/alarms?cleared=true").json()] == [one["id"]]
    assert get(app, "/api/v1/alarms?cleared=perhaps").status_code == 422


def test_tables_say_the_same_as_json(app: FastAPI) -> None:
    weeks = table(app, "/api/v1/schools/alder-primary/weeks.csv")
    assert [(row["week"], row["lessons"], row["create"]) for row in weeks] == [
        ("2025-W36", "10", "0.1"),
        ("2025-W37", "10", "0.1"),
    ]
    spread = table(app, "/api/v1/district/distribution.csv")
    assert len(spread) == 5 * len(DIMENSIONS)
    assert sum(float(row["share"]) for row in spread if row["dimension"] == "active") == pytest.approx(1)
    assert {row["calibrated"] for row in spread} == {"False"}
    by_week = table(app, "/api/v1/schools/alder-primary/distribution.csv")
    assert len(by_week) == 2 * len(spread)
    lessons = table(app, "/api/v1/schools/alder-primary/classes/7f3k/lessons.csv")
    assert [row["start"] for row in lessons] == ["2025-09-01T09:00:00+02:00"]
    placements = table(app, "/api/v1/schools/alder-primary/classes/7f3k/placements.csv")
    assert [row["probability"] for row in placements[:5]] == ["0.1", "0.2", "0.4", "0.2", "0.1"]
    strip = table(app, "/api/v1/schools/alder-primary/classes/7f3k/strip.csv")
    assert [(row["minute"], row["consume"], row["create"]) for row in strip] == [
        ("0", "0.4", "0.0"),
        ("5", "0.0", "0.25"),
    ]
    assert [row["slug"] for row in table(app, "/api/v1/district/schools.csv")] == ["alder-primary"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/schools/nobody",
        "/api/v1/schools/nobody/weeks.csv",
        "/api/v1/schools/alder-primary/classes/none",
        "/api/v1/schools/alder-primary/classes/none/strip.csv",
        "/api/v1/usage/1",
        "/api/v1/nothing",
        "/api/v1/schools/%00%FF",
    ],
)
def test_what_is_not_there_answers_404_with_one_sentence(app: FastAPI, path: str) -> None:
    answer = get(app, path)
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]
    assert "/api/v1" in answer.json()["error"]


def test_a_parameter_out_of_range_is_named_and_not_repeated(app: FastAPI) -> None:
    answer = get(app, "/api/v1/district?weeks=666999666")
    assert answer.status_code == 422
    assert "weeks" in answer.json()["error"]
    assert "666999666" not in answer.text


def test_text_that_a_spreadsheet_would_run_is_disarmed(hub: Hub, app: FastAPI) -> None:
    hub.send(hub.join("=cmd()"), week("=cmd()"))
    rows = table(app, "/api/v1/district/schools.csv")
    assert [row["name"] for row in rows] == ["'=cmd()", SCHOOL]


@pytest.mark.parametrize("path", ["/api/v1/district", "/api/v1/nothing", "/", "/nothing", "/healthz"])
def test_every_answer_keeps_other_sites_out(app: FastAPI, path: str) -> None:
    headers = get(app, path).headers
    assert re.match("default-src '(self|none)'", headers["content-security-policy"])
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "hub.local"])
def test_a_name_that_was_rebound_to_this_machine_gets_nothing(app: FastAPI, host: str) -> None:
    answer = get(app, "/api/v1/district", host)
    assert answer.status_code == 400
    assert SCHOOL not in answer.text


def test_a_failure_is_one_sentence_and_no_trace(app: FastAPI, hub: Hub) -> None:
    hub.writer.run(lambda own: own.execute("DROP TABLE heartbeats").close())

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/api/v1/district")

    answer = asyncio.run(ask())
    assert answer.status_code == 500
    assert list(answer.json()) == ["error"]
    assert "heartbeats" not in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_every_operation_and_field_is_described(app: FastAPI) -> None:
    document = app.openapi()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation.get("summary"), path
            assert operation.get("description"), path
            assert path.count("{") == 0 or "404" in operation["responses"], path
    for name, schema in document["components"]["schemas"].items():
        for field, said in schema.get("properties", {}).items():
            assert said.get("description"), (name, field)


def test_the_api_keeps_to_its_own_description(app: FastAPI) -> None:
    """Schemathesis calls every operation with good and bad parameters and checks each answer."""
    host = {"Host": "127.0.0.1"}
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers=host)
    called = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(derandomize=True, max_examples=10, deadline=None, database=None)
        @given(case=operation.as_strategy())
        def answers_as_described(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(headers=host)

        answers_as_described()
        called.append(operation.path)
    assert len(called) == len(app.openapi()["paths"])
