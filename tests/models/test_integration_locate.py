"""Every table, key and element of a TOML text is found on the line where it was written."""

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.integration.locate import Place, TooDeep, lines_of, nearest_line

NAMES = st.text(alphabet="ab_-é .#]\"'=", min_size=1, max_size=5)
TEXTS = ('"a # b ] = \\" }"', "'c:\\ # '", '"""two\nlines # "" ]"""""', "'''a\n'b' # [x]\n'''")
SCALARS = st.sampled_from(("1", "-0.5", "true", "1979-05-27 07:32:00", *TEXTS)).map(lambda text: (text,))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, SCALARS, max_size=2),
    max_leaves=6,
)
TABLES = st.recursive(
    st.dictionaries(NAMES, VALUES.map(lambda value: ("value", value)), max_size=3),
    lambda inner: st.dictionaries(
        NAMES,
        st.tuples(st.just("table"), inner)
        | st.tuples(st.just("array"), st.lists(inner, min_size=1, max_size=3))
        | VALUES.map(lambda value: ("value", value)),
        max_size=3,
    ),
    max_leaves=6,
)


class Writer:
    """TOML text written piece by piece, and the line of every place in it."""

    def __init__(self) -> None:
        self.text = ""
        self.lines: dict[Place, int] = {}

    def mark(self, place: Place) -> None:
        self.lines.setdefault(place, self.text.count("\n") + 1)

    def table(self, table: dict[str, tuple[str, Any]], place: Place, header: list[str]) -> None:
        for name, (kind, item) in table.items():
            if kind == "value":
                self.mark((*place, name))
                self.text += f"{quoted(name)} = "
                self.value(item, (*place, name))
                self.text += ' # a comment = [ " \n\n'
        for name, (kind, item) in table.items():
            inner = [*header, quoted(name)]
            if kind == "table":
                self.mark((*place, name))
                self.text += f"[ {' . '.join(inner)} ]\n"
                self.table(item, (*place, name), inner)
            elif kind == "array":
                for i, element in enumerate(item):
                    self.mark((*place, name))
                    self.mark((*place, name, i))
                    self.text += f"[[{'.'.join(inner)}]] # {i}\n"
                    self.table(element, (*place, name, i), inner)

    def value(self, value: Any, place: Place) -> None:
        if isinstance(value, tuple):
            self.text += value[0]
        elif isinstance(value, list):
            self.text += "[\n# ]\n"
            for i, item in enumerate(value):
                self.mark((*place, i))
                self.value(item, (*place, i))
                self.text += ",\n"
            self.text += "]"
        else:
            self.text += "{ "
            for i, (name, item) in enumerate(value.items()):
                self.text += ", " if i else ""
                self.mark((*place, name))
                self.text += f"{quoted(name)}="
                self.value(item, (*place, name))
            self.text += " }"


def quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def places_of(value: Any, place: Place = ()) -> set[Place]:
    """Every place of a parsed text."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        inner = list(value.items() if isinstance(value, dict) else enumerate(value))
    return {(*place, key) for key, _ in inner}.union(*(places_of(item, (*place, key)) for key, item in inner))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(TABLES)
def test_every_place_of_a_text_has_the_line_where_it_was_written(table: dict[str, tuple[str, Any]]) -> None:
    writer = Writer()
    writer.table(table, (), [])
    parsed = tomllib.loads(writer.text)
    assert lines_of(writer.text) == writer.lines
    assert set(writer.lines) == places_of(parsed)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(alphabet="a.=[]{}\"'\n#,\\1 ", max_size=60))
def test_whatever_is_toml_is_located_whole_and_whatever_is_not_does_no_harm(text: str) -> None:
    try:
        lines = lines_of(text)
    except TooDeep:
        return
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(lines) == places_of(parsed)


def test_dotted_keys_and_tables_of_tables_are_found() -> None:
    text = 'a.b = 1\na."c.d" = 2\n\n[x.y]\nz = 3\n[[x.l]]\n[x.l.m]\nn = 4\n[[x.l]]\n'
    lines = lines_of(text)
    assert lines["a", "b"] == 1
    assert lines["a", "c.d"] == 2
    assert lines["x", "y", "z"] == 5
    assert lines["x", "l", 0, "m", "n"] == 8
    assert lines["x", "l", 1] == 9
    assert set(lines) == places_of(tomllib.loads(text))


def test_what_is_missing_is_sought_at_the_table_around_it() -> None:
    lines = lines_of("a = 1\n\n[b]\nc = 2\n")
    assert nearest_line(lines, ("b", "d", "e")) == 3
    assert nearest_line(lines, ("z",)) == 1


@pytest.mark.parametrize("text", ["\na = " + "[" * 20, "\n" + "a." * 20 + "a = 1", "\na = " + "{b = " * 20])
def test_depth_is_bounded(text: str) -> None:
    with pytest.raises(TooDeep) as caught:
        lines_of(text)
    assert caught.value.line == 2
