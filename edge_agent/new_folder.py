"""A new agent folder: keys, and last the settings, whose presence makes it an agent's."""

import secrets
import tomllib
from dataclasses import replace

from edge_agent.drafts import replacing
from edge_agent.leaving import school_key
from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings, check_sources, check_timezone
from edge_agent.setup.answers import Answers
from edge_agent.setup.answers import text as settings_text
from shared import settings
from shared.errors import SettingsError, UsageError
from shared.link import keys
from shared.settings import write_secret


def refuse_used(folder: AgentFolder) -> None:
    """Raises UsageError for a folder that is an agent's already."""
    if folder.settings.exists():
        raise UsageError(f"{folder.settings} exists already: edit it, or choose another folder")


def create(folder: AgentFolder, said: Answers) -> None:
    """Write an agent's folder; what an earlier, interrupted call left is used.

    Raises UsageError, before anything is written, for a value that would not load and for a folder that is
    an agent's already.
    """
    text = _settings_text(folder, said)
    refuse_used(folder)
    try:
        (folder.root / "input").mkdir(parents=True, exist_ok=True)
        folder.models.mkdir(exist_ok=True)
        folder.secrets.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder.root} cannot be made: {error.strerror}; choose another folder") from None
    keys.load_or_create(folder.secrets, "agent")
    school_key.ensure(folder.secrets)
    password = folder.secrets / "xapi_password"
    if not password.exists():
        write_secret(password, secrets.token_urlsafe(24).encode())
    with replacing(folder.settings, "choose another folder") as file:
        file.write(text.encode())


def _settings_text(folder: AgentFolder, said: Answers) -> str:
    name = said.school.strip()
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise UsageError("the school's name must be 1 to 120 printable characters")
    text = settings_text(replace(said, school=name), folder.root)
    try:
        check_timezone(said.timezone)
        check_sources(folder, settings.parse(tomllib.loads(text), AgentSettings, "agent.toml"))
    except (SettingsError, tomllib.TOMLDecodeError) as error:
        raise UsageError(str(error)) from None
    return text
