"""A new agent folder: keys, and last the settings, whose presence makes it an agent's."""

import json
import secrets
import tomllib

from edge_agent import school_key
from edge_agent.drafts import replacing
from edge_agent.paths import AgentFolder
from edge_agent.settings import TEMPLATE, AgentSettings, check_timezone
from shared import settings
from shared.errors import SettingsError, UsageError
from shared.link import keys
from shared.settings import write_secret


def create(folder: AgentFolder, school: str, timezone: str, port: int) -> None:
    """Write an agent's folder; what an earlier, interrupted call left is used.

    Raises UsageError, before anything is written, for a value that would not load and for a folder that is
    an agent's already.
    """
    text = _settings_text(school, timezone, port)
    if folder.settings.exists():
        raise UsageError(f"{folder.settings} exists already: edit it, or choose another folder")
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


def _settings_text(school: str, timezone: str, port: int) -> str:
    name = school.strip()
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise UsageError("the school's name must be 1 to 120 printable characters")
    quoted = {"school": json.dumps(name, ensure_ascii=False), "timezone": json.dumps(timezone)}
    text = TEMPLATE.format(port=port, **quoted)
    try:
        check_timezone(timezone)
        settings.parse(tomllib.loads(text), AgentSettings, "agent.toml")
    except SettingsError as error:
        raise UsageError(str(error)) from None
    return text
