"""The check finds each kind of fault planted in a small catalogue, and names its file and entry."""

from pathlib import Path

import pytest

from models.catalogue.check import check_catalogue
from models.catalogue.load import load_catalogue
from shared.errors import SettingsError
from shared.words import CHANNELS

SMALL = {
    "apps.toml": """
[[app]]
id = "slides"
name = "Slides"
domains = ["slides.example"]
bundle_ids = ["example.slides"]
lp_ids = ["10001"]
function = "Making"

[[app]]
id = "quiz"
name = "Quiz"
domains = ["quiz.example", "play.quiz.example"]
lp_ids = ["10002", "10003"]
channels = { practise = 0.9, consume = 0.1 }

[[app]]
id = "arcade"
name = "Arcade"
bundle_ids = ["example.arcade"]
off_task = true
""",
    "functions.toml": """
[functions]
"Making" = { create = 0.8, publish = 0.2 }
""",
    "background.toml": """
[categories]
push = ["push.example"]
telemetry = ["metrics.quiz.example"]
""",
    "learnplatform.toml": 'lp_ids = ["10001", "10002", "10003"]',
}

# fault: (file, what stands there, what is planted instead, the finding)
FAULTS = {
    "an id used twice": (
        "apps.toml",
        'id = "quiz"',
        'id = "slides"',
        'apps.toml: app "slides": id "slides" is already in app "slides"',
    ),
    "a domain in two apps": (
        "apps.toml",
        '"play.quiz.example"',
        '"slides.example"',
        'apps.toml: app "quiz": domain "slides.example" is already in app "slides"',
    ),
    "a bundle id in two apps": (
        "apps.toml",
        '"example.arcade"',
        '"example.slides"',
        'apps.toml: app "arcade": bundle id "example.slides" is already in app "slides"',
    ),
    "a LearnPlatform id in two apps": (
        "apps.toml",
        '["10002", "10003"]',
        '["10002", "10003", "10001"]',
        'apps.toml: app "quiz": LearnPlatform id "10001" is already in app "slides"',
    ),
    "a background name in two categories": (
        "background.toml",
        '"push.example"',
        '"push.example", "push.example"',
        'background.toml: category "push": name "push.example" stands 2 times',
    ),
    "a name of an app that is background too": (
        "background.toml",
        '"push.example"',
        '"quiz.example"',
        'apps.toml: app "quiz": domain "quiz.example" is also in background.toml, category "push"',
    ),
    "an id that is not lower snake case": (
        "apps.toml",
        'id = "quiz"',
        'id = "Quiz-1"',
        'apps.toml: app "Quiz-1": the id is not lower snake case',
    ),
    "an address where a host name belongs": (
        "apps.toml",
        '"play.quiz.example"',
        '"https://Quiz.example/play"',
        'apps.toml: app "quiz": domain "https://Quiz.example/play" is not a plain host name in lower case',
    ),
    "a background name in upper case": (
        "background.toml",
        '"push.example"',
        '"Push.example"',
        'background.toml: category "push": "Push.example" is not a plain host name in lower case',
    ),
    "a product without a name to match": (
        "apps.toml",
        'bundle_ids = ["example.arcade"]\n',
        "",
        'apps.toml: app "arcade": it has no domain and no bundle id, so no source can name it',
    ),
    "an app's distribution that does not sum to one": (
        "apps.toml",
        "consume = 0.1",
        "consume = 0.2",
        'apps.toml: app "quiz": the channels sum to 1.1, not 1',
    ),
    "a sum that is out by a millionth": (
        "apps.toml",
        "consume = 0.1",
        "consume = 0.100001",
        'apps.toml: app "quiz": the channels sum to 1.000001, not 1',
    ),
    "a function's distribution that does not sum to one": (
        "functions.toml",
        "publish = 0.2",
        "publish = 0.1",
        'functions.toml: function "Making": the channels sum to 0.9, not 1',
    ),
    "a channel nobody knows": (
        "apps.toml",
        "consume = 0.1",
        "watch = 0.1",
        'apps.toml: app "quiz": unknown channel "watch"; known: ' + ", ".join(CHANNELS),
    ),
    "a function that is not in the table": (
        "apps.toml",
        'function = "Making"',
        'function = "Reading"',
        'apps.toml: app "slides": function "Reading" is not in functions.toml',
    ),
    "neither function nor channels": (
        "apps.toml",
        'function = "Making"\n',
        "",
        'apps.toml: app "slides": it has neither function nor channels, and is not off task',
    ),
    "channels that off-task would hide": (
        "apps.toml",
        "off_task = true",
        "off_task = true\nchannels = { create = 1.0 }",
        'apps.toml: app "arcade": it is off task, so its channels would never be used',
    ),
    "a LearnPlatform product that no app covers": (
        "learnplatform.toml",
        '"10003"',
        '"10003", "10004"',
        'learnplatform.toml: product "10004" is in no app of apps.toml',
    ),
    "a LearnPlatform id that does not exist": (
        "learnplatform.toml",
        ', "10003"',
        "",
        'apps.toml: app "quiz": LearnPlatform id "10003" is not in learnplatform.toml',
    ),
}


def _write(folder: Path, **changed: str) -> Path:
    for name, text in SMALL.items():
        (folder / name).write_text(changed.get(name.removesuffix(".toml"), text), encoding="utf-8")
    return folder


def test_a_clean_catalogue_has_no_findings_and_loads(tmp_path: Path) -> None:
    folder = _write(tmp_path)
    assert check_catalogue(folder) == []
    catalogue = load_catalogue(folder)
    assert [app.id for app in catalogue.apps] == ["slides", "quiz", "arcade"]
    assert dict(catalogue.apps[0].channels) == {"create": 0.8, "publish": 0.2}
    assert dict(catalogue.apps[2].channels) == {"other": 1.0}
    assert catalogue.off_task().tolist() == [True, False, False, True]
    assert dict(catalogue.by_lp_id) == {"10001": 1, "10002": 2, "10003": 2}
    assert dict(catalogue.by_bundle_id) == {"example.slides": 1, "example.arcade": 3}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_the_one_finding_and_keeps_the_catalogue_from_loading(
    tmp_path: Path, fault: str
) -> None:
    file, stands, planted, finding = FAULTS[fault]
    assert SMALL[file].count(stands) == 1
    folder = _write(tmp_path, **{file.removesuffix(".toml"): SMALL[file].replace(stands, planted)})
    assert check_catalogue(folder) == [finding]
    with pytest.raises(SettingsError) as error:
        load_catalogue(folder)
    assert finding in str(error.value)


@pytest.mark.parametrize("weights", ["create = 1.5, consume = -0.5", "create = nan", "create = inf"])
def test_a_weight_that_is_no_share_is_found(tmp_path: Path, weights: str) -> None:
    text = SMALL["functions.toml"].replace("create = 0.8, publish = 0.2", weights)
    found = check_catalogue(_write(tmp_path, functions=text))
    assert found
    assert all(line.startswith('functions.toml: function "Making": ') for line in found)


def test_every_fault_is_reported_not_only_the_first(tmp_path: Path) -> None:
    apps = SMALL["apps.toml"].replace("consume = 0.1", "consume = 0.2").replace('id = "quiz"', 'id = "Quiz"')
    assert len(check_catalogue(_write(tmp_path, apps=apps))) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[app]]\nid = ", "is not valid TOML"),
        ('[[app]]\nid = "a"\nname = "A"\ndomain = ["a.example"]', "did you mean `domains`?"),
        ('[[app]]\nid = "a"', "missing required field `name`"),
    ],
)
def test_a_file_of_the_wrong_shape_is_one_finding_that_names_it(
    tmp_path: Path, text: str, words: str
) -> None:
    (found,) = check_catalogue(_write(tmp_path, apps=text))
    assert "apps.toml" in found
    assert words in found


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "background.toml").unlink()
    (found,) = check_catalogue(tmp_path)
    assert "background.toml is missing" in found


def test_the_version_follows_the_content_and_not_its_comments(tmp_path: Path) -> None:
    def version(name: str, **changed: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        return load_catalogue(_write(folder, **changed)).version

    apps, background = SMALL["apps.toml"], SMALL["background.toml"]
    plain = version("plain")
    assert len(plain) == 12
    assert version("commented", apps="# A comment.\n" + apps) == plain
    differing = {
        version("weights", apps=apps.replace("0.9, consume = 0.1", "0.8, consume = 0.2")),
        version("names", apps=apps.replace("play.quiz.example", "live.quiz.example")),
        version("background", background=background.replace("push.example", "pull.example")),
    }
    assert plain not in differing
    assert len(differing) == 3
