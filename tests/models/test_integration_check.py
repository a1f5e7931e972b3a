"""A model's file is checked as a whole: every mistake is named, in one line each, with the line to mend."""

from pathlib import Path

import pytest

from models.integration.check import MOST_FINDINGS
from models.integration.load import check_model, read_model
from models.integration.toml_file import MOST_BYTES
from shared.errors import SettingsError
from tests.models.test_integration_models import SMALL, written


def found(path: Path) -> list[tuple[int, str]]:
    """The findings of a file as (line, text)."""
    return [(finding.line, finding.text) for finding in check_model(path)]


def line_of(text: str, part: str) -> int:
    """The line of the first occurrence of a part."""
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('owner = "us"', 'owne = "us"', "unknown key `owne`; did you mean `owner`"),
        ("weight = 0.5", 'weight = "much"', "`weight` must be a number, not text"),
        ("weight = 0.5", "weight = true", "`weight` must be a number, not true or false"),
        ("weight = 0.5", "weight = 0.0", "a weight of 0 says nothing"),
        ("weight = 0.5", "weight = nan", "finite number from -3 to 3"),
        ("weight = 0.5", "weight = -inf", "finite number from -3 to 3"),
        ("weight = 0.5", f"weight = 1{'0' * 400}", "finite number from -3 to 3"),
        ('feature = "create_share"', 'feature = "creat_share"', "did you mean `create_share`"),
        ('needs = ["create_share"]', 'needs = ["creation"]', "unknown feature `creation`"),
        ("base_rates = [0.5, 0.5]", "base_rates = [0.5, 0.4]", "sum to 1; these sum to 0.9"),
        ("base_rates = [0.5, 0.5]", "base_rates = [0.0, 1.0]", "between 0 and 1"),
        ("base_rates = [0.5, 0.5]", "base_rates = [0.5, 0.3, 0.2]", "3 base rates for 2 stages"),
        ("base_rates = [0.5, 0.5]", "base_rates = 0.5", "must be a list of base rates, not a number"),
        ("base_rates = [0.2, 0.3, 0.5]", "base_rates = [0.2, 0.8]", "2 base rates for 3 stages"),
        ('id = "joining"', 'id = "making"', "dimension `making` stands twice"),
        ('id = "joining"', 'id = "Joining In"', "use lower snake case"),
        ('id = "joining"', f'id = "{"j" * 41}"', "at most 40 characters"),
        ('grain = "lesson"', 'grain = "minute"', "`minute`; it must be lesson, week or term"),
        ('grain = "lesson"', "grain = [1]", "`grain` is a list"),
        ('name = "One"', "name = 1979-05-27", "must be text in quotes, not a date or a time"),
        ('name = "One"', 'name = "  "', "`name` is blank"),
        ('name = "One"', 'name = "\\u001b[31mOne"', "cannot be shown"),
        ('name = "One"', 'name = "One\\u202eowt"', "cannot be shown"),
        ('name = "One"', f'name = "{"n" * 81}"', "81 characters; at most 80"),
        ('one = "Alone."', f'one = "{"A" * 601}"', "601 characters; at most 600"),
        ('link = "https://example.org/"', 'link = "javascript:alert(1)"', "begins with https:// or http://"),
        ("[[stages]]", "[[stages", "not valid TOML, column"),
    ],
)
def test_a_fault_is_named_with_its_file_and_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = written(tmp_path, old, new)
    matching = [line for line, text in found(path) if message in text]
    assert matching == [line_of(SMALL, old)]
    with pytest.raises(SettingsError) as caught:
        read_model(path)
    assert str(caught.value).startswith(f"{path}:")
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_missing_key_is_named_at_the_head_of_its_table(tmp_path: Path) -> None:
    path = written(tmp_path, 'name = "Joining"\n')
    path = written(
        tmp_path, '[[dimensions]]\nid = "joining"\nname = "Joining"\n', '[[dimensions]]\nid = "joining"\n'
    )
    assert found(path) == [
        (line_of(SMALL, '[[dimensions]]\nid = "joining"'), "this `dimensions` table lacks `name`")
    ]
    path = written(tmp_path, 'owner = "us"\n', "")
    assert found(path) == [(1, "the file lacks `owner`")]


def test_a_stage_is_described_exactly_once(tmp_path: Path) -> None:
    path = written(tmp_path, 'often = "Much is made."', 'oftn = "Much is made."')
    assert found(path) == [
        (
            line_of(SMALL, "[dimensions.descriptions]"),
            "stage `often` is not described: describe each stage once",
        ),
        (
            line_of(SMALL, 'often = "Much is made."'),
            "`oftn` is no stage here: describe each stage once; did you mean `often`?",
        ),
    ]


def test_a_feature_has_one_weight_on_a_dimension_and_evidence_none(tmp_path: Path) -> None:
    more = '[[dimensions.indicators]]\nfeature = "{}"\nweight = 0.1\nsource = "us"\nwhy = "?"\n'
    path = tmp_path / "house.toml"
    path.write_text(SMALL + more.format("collaborate_share") + more.format("evidence"), encoding="utf-8")
    last = SMALL.count("\n")
    assert found(path) == [
        (last + 2, "feature `collaborate_share` has two weights"),
        (last + 6, "`evidence` speaks of reliability only and may carry no weight"),
    ]


def test_a_scale_needs_two_different_stages(tmp_path: Path) -> None:
    stage = '[[stages]]\nid = "often"\nname = "Often"\ntext = "More often than not."\n'
    assert any("at least two stages" in text for _, text in found(written(tmp_path, stage, "")))
    assert any(
        "`one` stands twice" in text for _, text in found(written(tmp_path, 'id = "two"', 'id = "one"'))
    )


def test_a_band_says_why_no_stage_can_be_named_and_stages_do_not(tmp_path: Path) -> None:
    head = 'text = "Two scales of different length."\n'
    path = written(tmp_path, head, head + 'shown_as = "band"\n')
    assert found(path) == [(10, "shown as a band without `why_band`: say why no stage can be named")]
    both = 'shown_as = "band"\nwhy_band = "Nobody sees it."\n'
    making, joining = read_model(written(tmp_path, head, head + both)).dimensions
    assert (making.shown_as, making.why_band) == ("band", "Nobody sees it.")
    assert joining.shown_as == "band"
    own = 'text = "How far children join in."\n'
    path.write_text(SMALL.replace(head, head + both).replace(own, own + 'shown_as = "stages"\n'), "utf-8")
    making, joining = read_model(path).dimensions
    assert (making.shown_as, joining.shown_as, joining.why_band) == ("band", "stages", "")
    path.write_text(SMALL.replace(own, own + both), "utf-8")
    assert [one.shown_as for one in read_model(path).dimensions] == ["stages", "band"]
    assert any(
        "shown as stages" in text for _, text in found(written(tmp_path, own, own + 'why_band = "?"\n'))
    )


def test_all_mistakes_of_a_file_are_named_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    changes = {
        'owner = "us"': 'owne = "us"',
        'grain = "lesson"': 'grain = "minute"',
        "base_rates = [0.5, 0.5]": "base_rates = [0.5, 0.4]",
        'often = "Much is made."': 'oftn = "Much is made."',
        'feature = "create_share"': 'feature = "creat_share"',
        "weight = 0.4": "weight = inf",
    }
    text = SMALL
    for old, new in changes.items():
        text = text.replace(old, new, 1)
    path = tmp_path / "house.toml"
    path.write_text(text, encoding="utf-8")
    lines = [line for line, _ in found(path)]
    assert lines == sorted(lines)
    assert {line_of(SMALL, old) for old in changes} <= set(lines)
    assert len(lines) == len(changes) + 2  # `owner` is missing as well, and so is a description of `often`


def test_counts_have_sane_limits(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    dimension = '[[dimensions]]\nid = "d{0}"\nname = "D"\ntext = "d"\n[dimensions.descriptions]\n'
    dimension += 'seldom = "s"\noften = "o"\n[[dimensions.indicators]]\nfeature = "create_share"\n'
    dimension += 'weight = 0.1\nsource = "us"\nwhy = "?"\n'
    path.write_text(SMALL + "".join(dimension.format(i) for i in range(11)), encoding="utf-8")
    assert [text for _, text in found(path)] == ["13 dimensions: at most 12"]
    stages = "".join(f'[[stages]]\nid = "s{i}"\nname = "S"\ntext = "s"\n' for i in range(11))
    path.write_text(SMALL.replace("[[stages]]", stages + "[[stages]]", 1), encoding="utf-8")
    assert "13 stages: at most 12" in [text for _, text in found(path)]


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b'id = "a"\nname = "\xff\xfe"\n', 2, "not UTF-8 text"),
        (b"a = " + b"[" * 100_000, 1, "more than 12 deep"),
        (b"x = 1\n" + b"a." * 50_000 + b"a = 1", 2, "more than 12 deep"),
        (b"x = 1\n[" + b"a." * 50_000 + b"a]", 2, "more than 12 deep"),
        (b"a = " + b"{b = " * 100, 1, "more than 12 deep"),
        (b"a = " + b"9" * 5_000, 1, "too many digits"),
        (b'a = "\x1b[2J"', 1, "not valid TOML, column 6"),
        (b'a = "b', 1, "not valid TOML"),
        (b"\n\na = [1,\n", 3, "not valid TOML"),
        (b"a" * (MOST_BYTES + 1), 1, "larger than 256 KiB"),
        (b"", 1, "the file lacks `id`"),
        (b"\x00" * 1_000, 1, "not valid TOML"),
        (b'a = """' + b'"' * 10_000, 1, "not valid TOML"),
    ],
)
def test_a_hostile_file_is_one_plain_line_and_nothing_worse(
    tmp_path: Path, data: bytes, line: int, message: str
) -> None:
    path = tmp_path / "house.toml"
    path.write_bytes(data)
    findings = found(path)
    assert any(at == line and message in text for at, text in findings), findings
    with pytest.raises(SettingsError) as caught:
        read_model(path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


def test_names_of_an_attackers_choice_never_reach_a_terminal_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text(
        '"\\u001b[2J\\u0007" = 1\nid = "\\u001b]0;owned\\u0007"\n' + f"{'k' * 5_000} = 1\n", "utf-8"
    )
    lines = [str(finding) for finding in check_model(path)]
    assert all(line.isprintable() and len(line) < 500 for line in lines)
    assert any("\\x1b[2J\\x07" in line for line in lines)


def test_a_file_of_nothing_but_mistakes_ends(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text("".join(f"k{i} = 1\n" for i in range(20_000)), encoding="utf-8")
    assert len(check_model(path)) <= MOST_FINDINGS


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert read_model(path).id == "house"
    path.write_bytes(SMALL.replace("weight = 0.4", "weight = nan").replace("\n", "\r\n").encode())
    assert [line for line, _ in found(path)] == [line_of(SMALL, "weight = 0.4")]
