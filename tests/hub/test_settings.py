"""`hub.toml` is strict, commented, and says what is wrong with it."""

import stat
import tomllib
from pathlib import Path

import pytest

from hub import folder, settings
from hub.paths import Layout
from shared.errors import SettingsError, UsageError


def test_what_init_writes_loads_as_it_was_asked(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "hub")
    name = 'Quelle "Süd" \\ Ost'
    folder.create(layout, name, 8123, "tcp://192.0.2.7:5710", simulated=True)
    loaded = settings.load(layout)
    assert (loaded.district, loaded.simulated) == (name, True)
    assert (loaded.page.port, loaded.link.address) == (8123, "tcp://192.0.2.7:5710")


def test_every_setting_is_in_the_file_with_a_comment_before_it(layout: Layout) -> None:
    text = layout.settings.read_text()
    assert set(tomllib.loads(text)) == set(settings.HubSettings.__struct_fields__)
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if "=" in line and not line.startswith("#"):
            assert lines[i - 1].startswith("#"), line


def test_an_unknown_key_is_an_error_that_names_the_nearest(layout: Layout) -> None:
    layout.settings.write_text(layout.settings.read_text().replace("port =", "prot ="))
    with pytest.raises(SettingsError, match=r"unknown key `page\.prot`; did you mean `port`\?"):
        settings.load(layout)


@pytest.mark.parametrize(("old", "new"), [("port = 8000", "port = 0"), ("tcp://", "http://")])
def test_a_value_out_of_range_is_named(layout: Layout, old: str, new: str) -> None:
    layout.settings.write_text(layout.settings.read_text().replace(old, new))
    with pytest.raises(SettingsError, match=r"hub\.toml"):
        settings.load(layout)


def test_keys_are_for_their_owner_only_and_made_once(layout: Layout) -> None:
    before = folder.link_keys(layout).public
    for path in layout.keys.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert folder.link_keys(layout).public == before


def test_a_hubs_folder_is_not_set_up_twice(layout: Layout) -> None:
    with pytest.raises(SettingsError, match="already"):
        folder.create(layout, "Other", 8000, settings.DEFAULT_LINK, simulated=False)
    assert settings.load(layout).district == "North District"


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 121])
def test_a_name_that_pages_cannot_show_is_refused_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError, match="name"):
        folder.create(Layout(tmp_path / "hub"), name, 8000, settings.DEFAULT_LINK, simulated=False)
    assert not (tmp_path / "hub").exists()


def test_an_address_that_is_no_address_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="address"):
        folder.create(Layout(tmp_path / "hub"), "District", 8000, "5710", simulated=False)
    assert not (tmp_path / "hub").exists()


@pytest.mark.parametrize(
    "link", ["tcp://*:5710", "tcp://0.0.0.0:5710", "tcp://0:5710", "tcp://[::]:5710", "tcp://[0:0::0]:5710"]
)
def test_a_hub_that_listens_everywhere_must_say_where_it_is_called(tmp_path: Path, link: str) -> None:
    layout = Layout(tmp_path / "hub")
    with pytest.raises(UsageError, match=r'public = "tcp://hub\.district\.example:5710"'):
        folder.create(layout, "District", 8000, link, simulated=False)
    with pytest.raises(UsageError, match="no agent can call"):
        folder.create(layout, "District", 8000, link, simulated=False, public=link)
    assert not layout.folder.exists()
    name = "tcp://hub.north.example:443"
    folder.create(layout, "District", 8000, link, simulated=False, public=name)
    own = settings.load(layout)
    assert (own.link.address, settings.advertised(own)) == (link, name)


def test_a_hub_on_one_address_is_called_there_unless_it_says_otherwise(layout: Layout) -> None:
    own = settings.load(layout)
    assert (own.link.public, settings.advertised(own)) == (None, settings.DEFAULT_LINK)
    text = layout.settings.read_text()
    layout.settings.write_text(text.replace("# public =", "public ="))
    assert settings.advertised(settings.load(layout)) == "tcp://hub.district.example:5710"


@pytest.mark.parametrize(
    "address", ["tcp://h:0", "tcp://h:65536", "tcp://h:*", "tcp://a_b:5710", "h:5710", ""]
)
def test_an_address_that_cannot_be_is_named_with_its_key(layout: Layout, address: str) -> None:
    for key in ("address", "public"):
        with pytest.raises(UsageError, match=rf"\[link\] {key}: "):
            settings.check(f'district = "North"\n[link]\n{key} = "{address}"\n')


def test_a_file_in_the_way_of_a_new_hub_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "hub"):
        with pytest.raises(UsageError, match=r"cannot be made: .*; choose another folder"):
            folder.create(Layout(path), "District", 8000, settings.DEFAULT_LINK, simulated=False)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_an_interrupted_init_left_is_finished_with_its_keys(layout: Layout) -> None:
    before = folder.link_keys(layout).public
    layout.settings.unlink()
    folder.create(layout, "South District", 8000, settings.DEFAULT_LINK, simulated=False)
    assert settings.load(layout).district == "South District"
    assert folder.link_keys(layout).public == before
