"""A figure's table says its numbers to people and to programs, whatever is in it."""

import csv
import io
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.pages.figure import Table
from shared.pages.svg import drawing, element, label

TABLE = Table(
    columns=(("School", "text"), ("Seen", "share"), ("Minutes", "number"), ("Lessons", "count")),
    rows=(("Alder", 0.456, 1234.5, 1204), ("Birch", None, None, None)),
)
XML_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), max_size=40)


def test_people_read_rounded_numbers_and_what_was_not_visible() -> None:
    assert TABLE.words() == [
        ["Alder", "46%", "1,200", "1,204"],
        ["Birch", "not visible", "not visible", "not visible"],
    ]


def test_programs_read_full_numbers_and_blanks() -> None:
    assert TABLE.csv() == "School,Seen,Minutes,Lessons\r\nAlder,0.456,1234.5,1204\r\nBirch,,,\r\n"


def test_a_name_that_a_spreadsheet_would_run_is_defused() -> None:
    table = Table(columns=(("Name", "text"), ("n", "number")), rows=(("=1+1", -1.5), ("@x", 2.0)))
    rows = list(csv.reader(io.StringIO(table.csv())))
    assert rows[1:] == [["'=1+1", "-1.5"], ["'@x", "2.0"]]


@given(XML_TEXT, XML_TEXT)
@settings(derandomize=True, max_examples=200, deadline=None)
def test_whatever_is_drawn_stays_text(title: str, text: str) -> None:
    drawn = drawing("d", 10, 10, title, text, [label(text, 0, 0), element("rect", class_=title)])
    root = ElementTree.fromstring(drawn)  # noqa: S314 - drawn by the code under test
    assert [child.tag.rpartition("}")[2] for child in root] == ["title", "desc", "text", "rect"]
    assert "".join(root[2].itertext()) == text
    assert root[3].get("class") == title
