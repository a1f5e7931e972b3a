"""A model that two schools wrote themselves: from a log to a page, by the same file at both ends."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec

from hub import folder
from hub.paths import Layout
from shared.link.outcomes import Rejected, Settled
from shared.records import decode
from tests.edge_agent.fits import write_model
from tests.edge_agent.lessons.test_scoring import replayed
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school
from tests.hub.hubs import Hub
from tests.hub.pages_district import served_by
from tests.shared.pages_reading import Page, check_page, get


def test_a_schools_own_model_goes_from_its_log_to_the_districts_page(tmp_path: Path) -> None:
    agent = make_school(
        tmp_path / "agent",
        SchoolSpec([ClassSpec("c1", "t1", learners(12))], settings='[scoring]\nmodels = ["tim", "valley"]\n'),
    )
    model = write_model(agent.models, band=True)
    checked = subprocess.run(
        [sys.executable, "-m", "commonground", "models", "show", str(model)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    out = tmp_path / "records.jsonl"
    done = replayed(agent, out)
    assert done.returncode == 0, done.stderr
    (line,) = out.read_text().splitlines()
    record = decode(line.encode())
    code = json.loads(line)["class"]

    layout = Layout(tmp_path / "hub")
    folder.create(layout, "North District", 8000, "tcp://127.0.0.1:5710", simulated=False)
    bare = Hub(layout)
    assert bare.send(bare.join("Test School"), record) == [Rejected(1, "unknown_model")]
    assert [(one.reason, one.count) for one in bare.views.status().refused] == [("unknown_model", 1)]
    bare.close()

    (layout.models / model.name).write_bytes(model.read_bytes())
    knowing = Hub(layout)
    other = msgspec.structs.replace(record, school="Other School")
    assert knowing.send(knowing.join("Other School", simulated=True), other) == [Settled(1)]
    app = served_by(knowing)
    page = Page(get(app, f"/schools/other-school/classes/{code}?model=valley").text)
    check_page(page)
    (figure,) = [one for one in page.all("figure") if one.attributes["id"] == "levels-valley"]
    assert "omewhere from Begins to" in figure.text
    assert "What moved this: Making" in page.text
    knowing.close()
