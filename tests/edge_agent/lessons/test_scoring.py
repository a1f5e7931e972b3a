"""A school names its models and fits; what they say reaches the records, and no further than its grain."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_agent.leaving.records import WeekLesson
from edge_agent.lessons.scoring import Scoring, load_scoring
from edge_agent.lessons.weeks import judged_alike
from edge_agent.pages import shape
from edge_agent.parts import Parts
from edge_agent.paths import AgentFolder
from edge_agent.settings import TEMPLATE, load_settings
from models.features.set1 import FEATURES
from models.integration.load import load_model
from models.scoring.scorer import Scorer
from shared.errors import SettingsError
from shared.records import Placement
from tests.edge_agent.fits import DIMENSION, altered, make_fit, write_fit, write_model
from tests.edge_agent.lessons.test_lessons import PEOPLE, SOURCES, Desk, at, contacts
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school


def school(root: Path, scoring: str = "", people: int = 12) -> AgentFolder:
    """A school's folder with the given `[scoring]` table."""
    return make_school(root, SchoolSpec([ClassSpec("c1", "t1", learners(people))], settings=scoring))


def scoring_of(folder: AgentFolder) -> Scoring:
    return load_scoring(folder, load_settings(folder))


def refusal(folder: AgentFolder) -> str:
    with pytest.raises(SettingsError) as refused:
        scoring_of(folder)
    return str(refused.value)


def rows(count: int = 4) -> NDArray[np.float64]:
    """Feature rows with plenty of evidence."""
    found = np.random.default_rng(3).uniform(0.1, 0.3, (count, len(FEATURES)))
    found[:, -1] = 400.0
    return found


def test_a_folder_without_the_table_is_judged_by_tim_as_before(tmp_path: Path) -> None:
    scoring = scoring_of(school(tmp_path / "s"))
    assert [one.id for one in scoring.judged] == ["tim"]
    x = rows()
    plain = Scorer.for_model("tim").score(x)
    for row, placements in enumerate(scoring.placements(x, [30] * len(x))):
        assert [p.version for p in placements] == ["1"] * 5
        assert [p.probs for p in placements] == [
            pytest.approx(tuple(probs), abs=1e-6) for probs in plain.probs[row]
        ]
        assert {(p.verdict, p.low, p.high) for p in placements} == {("evidence_only", None, None)}


def test_the_file_that_init_writes_has_the_table_with_its_defaults(tmp_path: Path) -> None:
    folder = school(tmp_path / "s")
    folder.settings.write_text(TEMPLATE.format(school='"S"', timezone='"UTC"', port=8100))
    assert [(one.id, one.fit) for one in scoring_of(folder).judged] == [("tim", None)]


def test_every_model_judges_every_window_in_the_order_of_the_settings(tmp_path: Path) -> None:
    folder = school(tmp_path / "s", '[scoring]\nmodels = ["valley", "tim"]\n')
    write_model(folder.models)
    (placements,) = scoring_of(folder).placements(rows(1), [30])
    assert [(p.model, len(p.probs)) for p in placements] == [("valley", 3)] + [("tim", 5)] * 5


def test_a_fit_places_with_its_set_and_names_itself_in_the_version(tmp_path: Path) -> None:
    folder = school(tmp_path / "s", '[scoring]\nfits = ["fit.json"]\n')
    fit = write_fit(folder.root / "fit.json", make_fit(ratings={"active": 49}))
    scoring = scoring_of(folder)
    (judged,) = scoring.judged
    assert (judged.fit, judged.calibrated, judged.dimensions) == (fit.content[:12], 4, 5)
    active, *others = scoring.placements(rows(1), [30])[0]
    assert (active.verdict, active.low) == ("evidence_only", None)
    for placement in others:
        assert placement.version == f"1+{fit.content[:12]}"
        assert placement.verdict == "placed"
        assert placement.low is not None and placement.high is not None
        assert placement.low <= int(np.argmax(placement.probs)) <= placement.high


def test_with_fewer_devices_than_the_schools_minimum_nothing_is_placed(tmp_path: Path) -> None:
    folder = school(tmp_path / "s", '[scoring]\nfits = ["fit.json"]\n[privacy]\nminimum_devices = 12\n')
    write_fit(folder.root / "fit.json", make_fit())
    few, enough = scoring_of(folder).placements(rows(2), [11, 12])
    assert {p.verdict for p in few} == {"thin"}
    assert {p.verdict for p in enough} == {"placed"}


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('models = ["tin"]', r"did you mean `tim`\?; files of your own go into .*models$"),
        ('models = ["tim", "tim"]', "`tim` stands twice: remove one"),
        ('models = ["models/ours.toml"]', "name a model by its id, not by a file: put `ours.toml` into"),
        ('fits = ["none.json"]', "none.json cannot be read .*: check the name"),
        ('fits = ["valley.json"]', "is a fit of `valley`: add it to `models`, or remove this fit"),
        ('fits = ["fit.json", "copy.json"]', "two fits of `tim`: keep the newer one"),
        ('fits = ["altered.json"]', "does not match its hash; fetch or fit it again"),
        ('models = ["tim", "valley"]\nfits = ["older.json"]', "was fitted for model `valley` version 1, not"),
    ],
)
def test_what_cannot_be_used_is_said_at_the_start_with_what_to_do(
    tmp_path: Path, table: str, says: str
) -> None:
    folder = school(tmp_path / "s", f"[scoring]\n{table}\n")
    root = folder.root
    for name in ("fit.json", "copy.json", "altered.json"):
        write_fit(root / name, make_fit())
    altered(root / "altered.json")
    valley = write_model(folder.models)
    write_fit(root / "valley.json", make_fit(load_model(str(valley))))
    write_fit(root / "older.json", make_fit(load_model(str(valley))))
    write_model(folder.models, version="2")
    said = refusal(folder)
    assert said.startswith(f"{folder.settings}: [scoring] ")
    assert "\n" not in said
    assert re.search(says, said), said


def test_a_model_of_ones_own_that_is_wrong_is_named_with_its_line(tmp_path: Path) -> None:
    folder = school(tmp_path / "s", '[scoring]\nmodels = ["valley"]\n')
    path = write_model(folder.models)
    path.write_text(path.read_text().replace("create_share", "create_shar"))
    assert f"{path}:" in refusal(folder) and "did you mean" in refusal(folder)


def test_more_dimensions_than_a_record_carries_are_refused(tmp_path: Path) -> None:
    names = [f"own_{i}" for i in range(16)]
    folder = school(tmp_path / "s", f"[scoring]\nmodels = {json.dumps(names)}\n")
    for name in names:
        path = write_model(folder.models, name)
        path.write_text(path.read_text() + "".join(DIMENSION.format(id=f"d{i}", name="D") for i in range(2)))
    assert "48 dimensions, a record carries 32: name fewer models" in refusal(folder)


@pytest.mark.parametrize("command", ["run", "replay"])
def test_a_command_on_such_a_folder_ends_with_one_line(tmp_path: Path, command: str) -> None:
    folder = school(tmp_path / "s", '[scoring]\nmodels = ["tin"]\n')
    (tmp_path / "log").write_text("")
    more = [str(tmp_path / "log"), "--source", "dnsmasq", "--out", str(tmp_path / "out")]
    words = [sys.executable, "-m", "commonground", "agent", command, str(folder.root)]
    done = subprocess.run(
        words + (more if command == "replay" else []), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and "did you mean `tim`?" in done.stderr


Made = Callable[[str], Desk]


@pytest.fixture
def desk_with(tmp_path: Path) -> Made:
    """An agent of four classes whose `[scoring]` table is given."""

    def make(table: str) -> Desk:
        folder = AgentFolder(tmp_path / "school")
        specs = [ClassSpec(f"c{k}", f"t{k}", PEOPLE[k * 12 : k * 12 + 12]) for k in range(4)]
        if not folder.root.exists():
            make_school(folder.root, SchoolSpec(specs, settings=SOURCES))
            for grain in ("lesson", "week", "term"):
                write_model(folder.models, f"{grain}ly", grain=grain)
            write_fit(folder.root / "fit.json", make_fit())
        text = folder.settings.read_text().split("[scoring]")[0]
        folder.settings.write_text(f"{text}[scoring]\n{table}\n")
        return Desk.on(folder)

    return make


def models_of(record: dict[str, object]) -> list[str]:
    placements = record["placements"]
    assert isinstance(placements, list)
    return list(dict.fromkeys(placement["model"] for placement in placements))


def test_a_lesson_carries_models_of_a_lesson_alone_and_its_week_all(desk_with: Made) -> None:
    desk = desk_with('models = ["tim", "lessonly", "weekly", "termly"]')
    desk.share("c0")
    desk.take(contacts(range(48)), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    (record,) = desk.sent()
    assert models_of(record) == ["tim", "lessonly"]
    desk.writer.run(lambda c: c.execute("DELETE FROM sharing"))
    desk.weeks.send_due(at(12, 0, day=19))
    (week,) = desk.sent("week")
    assert models_of(week) == ["tim", "lessonly", "weekly", "termly"]
    assert {p["evidence_only"] for p in week["placements"]} == {4}
    desk.close()


def test_a_fit_that_comes_inside_a_week_judges_all_of_that_week(desk_with: Made) -> None:
    desk = desk_with('models = ["tim"]')
    desk.take(contacts(range(48)), at(9, 10))
    desk.lessons.close_due(at(10), at(10))
    desk.close()
    desk = desk_with('models = ["tim", "weekly"]\nfits = ["fit.json"]')
    desk.take(contacts(range(48), day=15), at(9, 10, 15))
    desk.lessons.close_due(at(10, day=15), at(10, day=15))
    desk.weeks.send_due(at(12, 0, day=19))
    (week,) = desk.sent("week")
    assert week["lessons"] == 8
    assert models_of(week) == ["tim", "weekly"]
    assert len({(p["model"], p["dimension"]) for p in week["placements"]}) == len(week["placements"]) == 6
    assert all(sum(p["expected"]) == pytest.approx(8, abs=1e-4) for p in week["placements"])
    desk.close()


def test_a_week_judged_alike_already_is_left_as_it_was(tmp_path: Path) -> None:
    scoring = scoring_of(school(tmp_path / "s"))
    x = rows(1)
    told: tuple[Placement, ...] = scoring.placements(x, [20])[0]
    features = dict(zip(FEATURES, x[0].tolist(), strict=True))
    lesson = WeekLesson("c", frozenset({"t"}), 20, 400.0, 0.5, frozenset({"dnsmasq"}), features, told)
    assert judged_alike([lesson], scoring) == [lesson]


def test_a_replay_judges_with_the_schools_own_model_and_fit(tmp_path: Path) -> None:
    folder = school(tmp_path / "s", '[scoring]\nmodels = ["tim", "valley"]\nfits = ["fit.json"]\n')
    write_model(folder.models)
    fit = write_fit(folder.root / "fit.json", make_fit())
    parts = Parts.load(folder, load_settings(folder))
    assert [one.id for one in parts.scoring.judged] == ["tim", "valley"]
    out = tmp_path / "out.jsonl"
    done = replayed(folder, out)
    assert done.returncode == 0, done.stderr
    (record,) = map(json.loads, out.read_text().splitlines())
    assert models_of(record) == ["tim", "valley"]
    versions = {p["model"]: p["version"] for p in record["placements"]}
    assert versions == {"tim": f"1+{fit.content[:12]}", "valley": "1"}


def replayed(folder: AgentFolder, out: Path) -> "subprocess.CompletedProcess[str]":
    """A replay of one lesson's log in which every learner's iPad contacts three apps."""
    log = out.with_suffix(".log")
    people = learners(12)
    lines = [
        f"Sep 14 08:00:00 dnsmasq-dhcp[1]: DHCPACK(eth0) 10.0.0.{i} {person.hardware} iPad"
        for i, person in enumerate(people)
    ]
    for minute, name in ((1, "padlet.com"), (11, "app.bookcreator.com"), (31, "kahoot.it")):
        for i in range(len(people)):
            at_ = f"Sep 14 09:{minute:02d}:{i:02d}"
            lines.append(f"{at_} dnsmasq[1]: query[A] {name} from 10.0.0.{i}")
    log.write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "commonground", "agent", "replay", str(folder.root), str(log)]
    command += ["--source", "dnsmasq", "--year", "2026", "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("fit", "calibrated", "words"),
    [
        (None, 0, "inferred, not calibrated"),
        ("abc", 0, "not calibrated: too few walkthroughs, fit abc"),
        ("abc", 3, "calibrated by walkthroughs in 3 of its 5 dimensions, fit abc"),
        ("abc", 5, "calibrated by walkthroughs, fit abc"),
    ],
)
def test_the_status_says_of_each_model_whether_it_is_calibrated(
    fit: str | None, calibrated: int, words: str
) -> None:
    model = shape.Model("tim", "TIM", "1", fit=fit, dimensions=5, calibrated=calibrated)
    assert shape.model_words(model).startswith(words)
