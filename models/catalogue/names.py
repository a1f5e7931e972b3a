"""Products by what people call them: ids and names of the catalogue; an ambiguous one is none."""

from collections import Counter

from models.catalogue.load import App, Catalogue


def by_name(catalogue: Catalogue) -> dict[str, int]:
    """Index by id, name and further names, as `called` writes them; a name that two apps have is left out."""
    apps = [_names(app) for app in catalogue.apps]
    owners = Counter(name for names in apps for name in names)
    return {name: i for i, names in enumerate(apps, start=1) for name in names if owners[name] == 1}


def called(text: str) -> str:
    """A product's name as it is compared: without case and without blanks that do not matter."""
    return " ".join(text.casefold().split())


def _names(app: App) -> set[str]:
    return {called(name) for name in (app.id, app.name, *app.names)}
