"""Who may read a file, and what to do so that the agent's user may."""

import grp
import stat
from pathlib import Path
from typing import Final

_OTHERWISE: Final = (
    "Let the agent’s user read it: `sudo usermod -aG adm commonground` where logs belong to the group adm,"
    " else `sudo setfacl -m u:commonground:r FILE`, and `create 0640` with that group in its rotation."
)
_ANEW: Final = " Then start the service anew."


def reading_group(path: Path) -> str:
    """The group that may read a file which not everybody may; nothing if there is none, or it is root's."""
    try:
        found = path.stat()
        if found.st_gid and found.st_mode & stat.S_IRGRP and not found.st_mode & stat.S_IROTH:
            return grp.getgrgid(found.st_gid).gr_name
    except (OSError, KeyError):
        pass  # nobody may look, or the group has no name here
    return ""


def advice(path: Path, kind: str) -> str:
    """What to do about a source's file that is missing or may not be read."""
    try:
        is_there = path.exists()
    except OSError:
        return _OTHERWISE + _ANEW
    if not is_there:
        older = (
            " Pi-hole writes /var/log/pihole/pihole.log, an old one /var/log/pihole.log."
            if kind == "pihole"
            else ""
        )
        return f"Correct its path in agent.toml, or switch the log on.{older}"
    group = reading_group(path)
    if group:
        return f"Its group may read it: `sudo usermod -aG {group} commonground`.{_ANEW}"
    return _OTHERWISE + _ANEW
