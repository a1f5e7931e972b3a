"""A hub in a folder of its own, and records to send it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from hub import folder
from hub.paths import Layout
from tests.hub.hubs import Hub


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    """A command that a test ran leaves no log behind that writes to where that test's errors went."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A new hub's folder."""
    made = Layout(tmp_path / "hub")
    folder.create(made, "North District", 8000, "tcp://127.0.0.1:5710", simulated=False)
    return made


@pytest.fixture
def hub(layout: Layout) -> Iterator[Hub]:
    """A hub whose inbox is driven by hand."""
    own = Hub(layout)
    yield own
    own.close()
