"""Settings files are changed as a person would: one line, the rest untouched."""

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from demo.toml_edit import set_tail, set_value

FILE = """\
# A file with comments.
school = "Alder"   # its name

[page]
port = 8100        # of the status page

[[sources]]
kind = "dnsmasq"
"""


def test_a_value_is_replaced_and_its_comment_kept() -> None:
    text = set_value(FILE, "page", "port", "9000")
    assert "port = 9000        # of the status page" in text
    assert text.replace("9000", "8100") == FILE


def test_a_new_key_joins_its_table_and_a_new_table_comes_last() -> None:
    table = tomllib.loads(set_value(set_value(FILE, "page", "title", '"x"'), "clock", "file", '"c"'))
    assert table["page"] == {"port": 8100, "title": "x"}
    assert table["clock"] == {"file": "c"}
    assert table["sources"] == [{"kind": "dnsmasq"}]


def test_a_key_at_the_top_is_not_looked_for_in_tables() -> None:
    table = tomllib.loads(set_value(FILE, "", "port", "1"))
    assert table["port"] == 1
    assert table["page"]["port"] == 8100


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 65535), min_size=1, max_size=5))
def test_however_often_a_port_changes_the_file_holds_the_last_one(ports: list[int]) -> None:
    text = FILE
    for port in ports:
        text = set_tail(set_value(text, "page", "port", str(port)), "# tail", f"[tail]\nport = {port}\n")
    table = tomllib.loads(text)
    assert table["page"]["port"] == table["tail"]["port"] == ports[-1]
    assert text.count("# tail") == 1
