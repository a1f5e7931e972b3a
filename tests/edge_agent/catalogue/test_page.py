"""The page of the catalogue shows no name that few devices asked for, and takes forms from itself only."""

from pathlib import Path
from urllib.parse import urlencode

import pytest

from edge_agent.catalogue.desk import CatalogueDesk
from edge_agent.catalogue.in_use import load_in_use, school_file
from edge_agent.page import create_page
from models.catalogue.overlay import Entry, Overlay, read_overlay
from tests.edge_agent.catalogue.catalogue_desk import make_desk, page
from tests.edge_agent.catalogue.test_own_entries import say
from tests.edge_agent.identity.test_today import ask
from tests.edge_agent.pages.pages_status import busy
from tests.shared.pages_reading import Page, check_page


@pytest.fixture
def desk(tmp_path: Path) -> CatalogueDesk:
    return make_desk(tmp_path)


def form(desk: CatalogueDesk, **fields: str) -> str:
    """A form of the page."""
    return urlencode({"token": desk.token, **fields})


def test_it_shows_shares_and_missing_names_but_none_that_few_devices_asked_for(desk: CatalogueDesk) -> None:
    text = ask(page(desk), "GET", "/catalogue").text
    check_page(Page(text))
    assert "castle.example" in text
    assert "District &lt;b&gt;App" in text and "no. 4" in text
    csv = ask(page(desk), "GET", "/catalogue/coverage.csv")
    assert csv.headers["content-type"].startswith("text/csv")
    assert csv.text.splitlines()[1:] == ["day,2026-09-14,70,4,60,900,", "name,castle.example,,,30,,12"]


@pytest.mark.parametrize("simulated", [True, False])
def test_a_simulated_schools_names_are_called_simulated(desk: CatalogueDesk, simulated: bool) -> None:
    app = create_page(lambda: busy() | {"simulated": simulated}, catalogue=desk)
    assert ("Simulated school." in ask(app, "GET", "/catalogue").text) is simulated


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        ("", {}),
        ("guess", {}),
        ("right", {"Origin": "https://evil.example"}),
        ("right", {"Sec_Fetch_Site": "cross-site"}),
        ("right", {"Host": "evil.example"}),
    ],
)
def test_no_other_page_can_change_it(desk: CatalogueDesk, token: str, headers: dict[str, str]) -> None:
    sent = desk.token if token == "right" else token
    body = urlencode({"token": sent, "affords": "background", "domains": "a.example"})
    assert ask(page(desk), "POST", "/catalogue", body, **headers).status_code in (400, 403)
    assert not school_file(desk.folder).exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "A", "domains": "com", "affords": "off task"},
        {"name": "A", "domains": "a.example", "affords": "weights", "weights": "dream 1"},
        {"name": "<script>", "affords": "off task"},
        {"remove": "nothing"},
        {"affords": "background"},
        {"do": "try", "affords": "background", "domains": "a.example"},
    ],
)
def test_what_is_no_entry_is_said(desk: CatalogueDesk, fields: dict[str, str]) -> None:
    answer = ask(page(desk), "POST", "/catalogue", form(desk, **fields))
    assert answer.status_code == 400
    check_page(Page(answer.text))
    assert "Nothing was changed" in answer.text and "<script>" not in answer.text
    assert not school_file(desk.folder).exists()


def test_names_that_are_no_use_are_taken(desk: CatalogueDesk) -> None:
    body = form(desk, affords="background", domains="noise.example\nwww.other.example", do="put")
    assert ask(page(desk), "POST", "/catalogue", body).status_code == 303
    assert read_overlay(school_file(desk.folder)).background == ("noise.example", "www.other.example")


def test_an_agent_without_a_catalogue_desk_says_so() -> None:
    for method in ("GET", "POST"):
        assert ask(create_page(busy), method, "/catalogue").status_code == 404


def test_what_the_district_makes_of_shipped_names_is_shown_in_words(desk: CatalogueDesk) -> None:
    taken = Overlay(("kahoot.it",), (Entry("x", "<i>Pad", ("padlet.com",), off_task=True),))
    say(desk.folder, 5, taken)
    text = ask(page(CatalogueDesk(desk.folder, load_in_use(desk.folder))), "GET", "/catalogue").text
    check_page(Page(text))
    assert "<code>padlet.com</code>, shipped as Padlet: off task" in text
    assert "<code>kahoot.it</code>, shipped as Kahoot!: no use" in text
    assert "&lt;i&gt;Pad, off task: padlet.com" in text
    assert "changes what is shipped" not in ask(page(desk), "GET", "/catalogue").text
