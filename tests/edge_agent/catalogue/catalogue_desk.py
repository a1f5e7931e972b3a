"""A school's catalogue with counted names and a district's entry, as the page has it."""

from contextlib import closing
from pathlib import Path

from starlette.applications import Starlette

from edge_agent.catalogue.desk import CatalogueDesk
from edge_agent.catalogue.in_use import load_in_use
from edge_agent.page import create_page
from edge_agent.placing.parcel import Met
from edge_agent.store import met
from edge_agent.store.schema import MIGRATIONS
from models.catalogue.overlay import Entry, Overlay
from shared.storage import connect, migrate
from tests.edge_agent.catalogue.test_met import TODAY, asked
from tests.edge_agent.catalogue.test_own_entries import say
from tests.edge_agent.pages.pages_status import busy
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school


def make_desk(root: Path) -> CatalogueDesk:
    """Its folder is made in `root`."""
    folder = make_school(root / "school", SchoolSpec([ClassSpec("c1", "t1", learners(2))]))
    with closing(connect(folder.database)) as connection:
        migrate(connection, MIGRATIONS)
        told = [asked("castle.example", 12), Met(TODAY, 0, 0, 30, 0, {})]
        met.add(connection, [*told, Met("2026-09-14", 70, 4, 0, 900, {})])
        connection.commit()
    say(
        folder,
        4,
        Overlay(("filter.example",), (Entry("d", "District <b>App</b>", ("d.example",), off_task=True),)),
    )
    return CatalogueDesk(folder, load_in_use(folder))


def page(desk: CatalogueDesk) -> Starlette:
    """The application over it."""
    return create_page(busy, catalogue=desk)
