"""What a schedule of data is filled from: the disclosure log, the fields counted beside it, the hub."""

import sqlite3
from datetime import datetime

from edge_agent.clock import make_clock
from edge_agent.leaving.agreement import Agreement, KindRow, schedule
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_hub, load_settings
from edge_agent.store import disclosed_fields, disclosures
from shared.disclosure import GENESIS
from shared.link import keys
from shared.storage import snapshot


def read(folder: AgentFolder, connection: sqlite3.Connection) -> Agreement:
    """The schedule of this folder's school. Raises SettingsError for a folder that is no agent's."""
    with snapshot(connection):  # the agent may be writing
        return _read(folder, connection)


def _read(folder: AgentFolder, connection: sqlite3.Connection) -> Agreement:
    settings = load_settings(folder)
    hub = load_hub(folder)
    now = datetime.fromtimestamp(make_clock(folder, settings).now(), settings.zone)
    kinds = connection.execute(
        "SELECT kind, count(*), min(substr(at, 1, 10)), max(substr(at, 1, 10)) FROM disclosures"
        " WHERE kind != ? AND typeof(kind) = 'text' AND typeof(at) = 'text' GROUP BY kind ORDER BY kind",
        (disclosures.WITHDRAWN,),
    ).fetchall()
    (withdrawn,) = connection.execute(
        "SELECT count(*) FROM disclosures WHERE kind = ?", (disclosures.WITHDRAWN,)
    ).fetchone()
    newest = connection.execute("SELECT seq, chain FROM disclosures ORDER BY seq DESC LIMIT 1").fetchone()
    _, broken = disclosures.verify(connection)
    known, unknown = schedule(disclosed_fields.read(connection))
    return Agreement(
        school=settings.school,
        written=now.date().isoformat(),
        simulated=settings.clock is not None,
        recipient=keys.fingerprint(hub.public_key) if hub else None,
        address=hub.address if hub else None,
        records=tuple(KindRow(*row) for row in kinds),
        withdrawn=withdrawn,
        schedule=known,
        unknown=unknown,
        entries=newest[0] if newest else 0,
        chain=str(newest[1]) if newest else GENESIS,
        unbroken=broken is None,
    )
