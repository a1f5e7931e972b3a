"""`agent classes`: class codes for the school's own staff."""

import json

from edge_agent.commands.common import AsJson, Folder, opened_store, say, school_day
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings


def classes(folder: Folder, as_json: AsJson = False) -> None:
    """List class codes with the roster's class ids: for the school's own staff, not for sending on."""
    from edge_agent.identity.load import load_directory
    from edge_agent.store.classes import ensure_codes, shared_until

    paths = AgentFolder(folder)
    directory, _ = load_directory(paths, load_settings(paths))
    today = school_day(paths)
    with opened_store(paths) as connection:
        codes = ensure_codes(connection, directory.roster)
        until = {code: day for code, day in shared_until(connection).items() if day >= today}
    rows = [
        {
            "code": codes[item.id],
            "class_id": item.id,
            "subject": item.subject,
            "grade_band": item.grade_band,
            "shared_until": until[codes[item.id]].isoformat() if codes[item.id] in until else None,
        }
        for item in directory.roster.classes.values()
    ]
    if as_json:
        say(json.dumps(rows))
        return
    for row in rows:
        shared = f"shared until {row['shared_until']}" if row["shared_until"] else "not shared"
        say(f"{row['code']}  {row['class_id']}  {row['subject']}  {row['grade_band']}  {shared}")
