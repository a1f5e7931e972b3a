"""Integration models by their ids: those that ship, and a school's own beside them."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from models.integration import shape
from models.integration.check import findings_of
from models.integration.model import (
    Criticism,
    Dimension,
    Grain,
    Indicator,
    IntegrationModel,
    ShownAs,
    Stage,
)
from models.integration.toml_file import Finding, read_toml
from shared.errors import SettingsError, UsageError
from shared.plain import plain

__all__ = [
    "PUBLISHED",
    "Criticism",
    "Dimension",
    "Grain",
    "Indicator",
    "IntegrationModel",
    "ShownAs",
    "Stage",
    "check_model",
    "load_model",
    "model_files",
    "model_names",
    "read_model",
]

PUBLISHED: Final = Path(__file__).parent / "published"


def model_names(own: Path | None = None) -> tuple[str, ...]:
    """Ids of the models that ship, then of those in the folder `own` (one that is absent holds none).

    Raises SettingsError where a file of `own` takes the name of a model that ships.
    """
    shipped = tuple(path.stem for path in model_files(PUBLISHED))
    files = model_files(own) if own else ()
    for path in files:
        _refuse_shipped_id(path, path.stem)
    return (*shipped, *(path.stem for path in files))


def model_files(folder: Path) -> tuple[Path, ...]:
    """The models' files in a folder, by name; hidden files and whatever else is no plain file left out."""
    found = (path for path in folder.glob("*.toml") if not path.name.startswith(".") and path.is_file())
    return tuple(sorted(found))


def load_model(name: str, own: Path | None = None) -> IntegrationModel:
    """A model by its id, among those that ship and those in the folder `own`, or by the path of its file.

    Files of one's own are read anew each time, so that a change counts. Raises UsageError for an id nobody
    knows, SettingsError with one line, `file:line: what is wrong`, for a file that cannot be used.
    """
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise UsageError(
                f"there is no file {plain(name)}: give a model's id or the path of its TOML file"
            )
        return _shipped(path.stem) if path.resolve().parent == PUBLISHED.resolve() else _own(path)
    names = model_names(own)
    if name in model_names():
        return _shipped(name)
    if own and name in names:
        path = own / f"{name}.toml"
        model = _own(path)
        if model.id != name:
            raise SettingsError(str(Finding(str(path), 1, _misnamed(model.id))))
        return model
    hint = shape.nearest(name, names, f"known models: {', '.join(names)}")
    raise UsageError(plain(f"unknown model {shape.short(name)}; {hint}"))


def read_model(path: Path) -> IntegrationModel:
    """The model in one file. A dimension without stages or base rates of its own takes the model's.

    Raises SettingsError: the first mistake, with file and line.
    """
    file = read_toml(path)
    wrong = [file] if isinstance(file, Finding) else findings_of(file)
    if wrong or isinstance(file, Finding):
        raise SettingsError(str(wrong[0]))
    return _built(file.table)


def check_model(path: Path, *, named_for_id: bool = False) -> list[Finding]:
    """Every mistake in a model's file, by line; with `named_for_id` also a file name that is not its id."""
    file = read_toml(path)
    if isinstance(file, Finding):
        return [file]
    found = findings_of(file)
    name = file.table.get("id")
    if isinstance(name, str):
        taken = _taken(path, name)
        found += [file.finding(("id",), taken)] if taken else []
        if named_for_id and name != path.stem and shape.is_identifier(name):
            found.append(file.finding(("id",), _misnamed(name)))
    return sorted(found)


@lru_cache(maxsize=32)
def _shipped(name: str) -> IntegrationModel:
    return read_model(PUBLISHED / f"{name}.toml")


def _own(path: Path) -> IntegrationModel:
    model = read_model(path)
    _refuse_shipped_id(path, model.id)
    return model


def _taken(path: Path, name: str) -> str:
    shipped = PUBLISHED / f"{name}.toml"
    if not shape.is_identifier(name) or not shipped.is_file() or path.resolve() == shipped.resolve():
        return ""
    return f"`{name}` is a model that ships with the program: give yours another id, and its file that name"


def _refuse_shipped_id(path: Path, name: str) -> None:
    taken = _taken(path, name)
    if taken:
        raise SettingsError(str(Finding(str(path), 1, taken)))


def _misnamed(name: str) -> str:
    return f"the id is `{name}`: name the file {name}.toml"


def _built(table: dict[str, Any]) -> IntegrationModel:
    """The model of a table in which nothing was found wrong."""
    return IntegrationModel(
        **{key: table[key] for key in ("id", "name", "version", "owner", "source", "link", "grain", "text")},
        unseen=tuple(table.get("unseen", ())),
        warnings=tuple(table.get("warnings", ())),
        criticism=tuple(Criticism(**row) for row in table.get("criticism", ())),
        dimensions=tuple(_dimension(row, table) for row in table["dimensions"]),
    )


def _dimension(row: dict[str, Any], model: dict[str, Any]) -> Dimension:
    shown_as = row.get("shown_as", model.get("shown_as", "stages"))
    return Dimension(
        id=row["id"],
        name=row["name"],
        text=row["text"],
        shown_as=shown_as,
        why_band=row.get("why_band", model.get("why_band", "")) if shown_as == "band" else "",
        stages=tuple(
            Stage(stage["id"], stage["name"], row["descriptions"][stage["id"]])
            for stage in row.get("stages") or model["stages"]
        ),
        base_rates=tuple(float(rate) for rate in row.get("base_rates") or model["base_rates"]),
        needs=tuple(row.get("needs", ())),
        indicators=tuple(
            Indicator(one["feature"], float(one["weight"]), one["source"], one["why"])
            for one in row["indicators"]
        ),
    )
