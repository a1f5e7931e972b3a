"""Nobody's name, device or address gets past the inputs: planted in every one, sought in everything else."""

import base64
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge_agent.leaving import school_key
from edge_agent.store import disclosures
from shared.storage import reader
from tests.edge_agent.school import ClassSpec, Learner, SchoolSpec, make_school
from tests.end_to_end.relay import Relay
from tests.end_to_end.town import Town, command, fetch, free_ports, until

ZONE = ZoneInfo("Europe/Zurich")
PEOPLE = [
    Learner(
        f"kanari.vogel{i:02d}",
        f"DMPCANARY{i:02d}",
        f"a4:83:e7:ca:fe:{i:02x}",
        f"Kanarina{i}",
        f"Vogelsang{i}",
    )
    for i in range(1, 49)
]
TEACHERS = ["lehrerin.amsel", "lehrer.drossel", "lehrerin.fink", "lehrer.star"]
SECRET_URL = "https://app.bookcreator.com/books/geheimes-tagebuch-von-kanarina?token=sesam&page=7"
NOON = datetime(2026, 9, 14, 12, 0, tzinfo=ZONE).timestamp()
SATURDAY = datetime(2026, 9, 19, 13, 0, tzinfo=ZONE).timestamp()


def spec() -> SchoolSpec:
    classes = [
        ClassSpec(f"KLASSE-{k}", TEACHERS[k], PEOPLE[k * 12 : k * 12 + 12], subject="German")
        for k in range(4)
    ]
    return SchoolSpec(classes, timezone="Europe/Zurich", name="Schulhaus Probe")


def address(i: int) -> str:
    return f"10.77.{i // 100}.{100 + i % 100}"


def log_lines() -> str:
    lines = []
    for i, person in enumerate(PEOPLE, start=1):
        host = f"{person.given}s-iPad"
        lines.append(f"Sep 14 08:50:00 dnsmasq-dhcp[9]: DHCPACK(eth0) {address(i)} {person.hardware} {host}")
    lines += [
        f"Sep 14 09:{minute:02d}:{i % 60:02d} dnsmasq[9]: query[A] {name} from {address(i)}"
        for minute in range(5, 40, 5)
        for i, person in enumerate(PEOPLE, start=1)
        for name in ("app.bookcreator.com", f"www.{person.username}-home.example", "gateway.icloud.com")
    ]
    for person in PEOPLE[:5]:  # rubbish that names people all the same
        lines.append(f"Sep 14 09:41:00 {person.given} {person.family} {person.serial} {SECRET_URL}")
        lines.append(f"Sep 14 09:41:00 dnsmasq-dhcp[9]: DHCPACK(eth0) {address(1)} {person.username} x")
    return "\n".join(lines) + "\n"


def statement(person: Learner, verb: str, minute: int) -> dict[str, Any]:
    return {
        "actor": {
            "objectType": "Agent",
            "name": f"{person.given} {person.family}",
            "account": {"homePage": "https://schule.example", "name": person.username},
        },
        "verb": {"id": f"http://activitystrea.ms/schema/1.0/{verb}"},
        "object": {"id": SECRET_URL, "definition": {"name": {"de": "Tagebuch von Kanarina"}}},
        "timestamp": f"2026-09-14T09:{minute:02d}:30+02:00",
        "result": {"response": f"Ich bin {person.given} und wohne in der Vogelgasse"},
    }


def post(port: int, body: Any) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/xAPI/statements",
        json.dumps(body).encode(),
        {
            "Authorization": "Basic " + base64.b64encode(b"apps:xapi-secret").decode(),
            "X-Experience-API-Version": "1.0.3",
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def canaries() -> set[str]:
    found = {SECRET_URL, "geheimes-tagebuch", "token=sesam", "Tagebuch von", "Vogelgasse", "-home.example"}
    found |= set(TEACHERS)
    for i, person in enumerate(PEOPLE, start=1):
        plain = person.hardware.replace(":", "")
        found |= {
            person.username,
            person.serial,
            person.hardware,
            plain,
            person.given,
            person.family,
            address(i),
        }
    return found


class Run:
    """The whole way once: inputs full of canaries, a school day, a week, every page looked at."""

    def __init__(self, root: Path) -> None:
        self.town = Town(root)
        self.pages: dict[str, str] = {}
        self.agent = make_school(root / "school", self._spec(root))
        self.xapi_port, page_port = free_ports(2)
        self._configure(page_port)
        (self.agent.root / "input" / "dnsmasq.log").write_text(log_lines())
        self.town.set_clock(NOON)
        self.town.start_hub()
        self.town.join(self.agent.root, "Schulhaus Probe")
        self.relay = self._listen_in()
        try:
            self._live(self.agent.root)
        finally:
            self.town.stop()
            self.relay.close()

    def _spec(self, root: Path) -> SchoolSpec:
        return spec()

    def _configure(self, page_port: int) -> None:
        text = self.agent.settings.read_text()
        self.agent.settings.write_text(
            f'{text}\n[clock]\nfile = "../clock.json"\n[page]\nport = {page_port}\n'
            '[[sources]]\nkind = "dnsmasq"\nid = "resolver"\npath = "input/dnsmasq.log"\n'
            f'[[sources]]\nkind = "xapi"\nid = "apps"\nport = {self.xapi_port}\nuser = "apps"\n'
            'password_file = "secrets/xapi_password"\n'
        )

    def _listen_in(self) -> Relay:
        text = self.agent.hub.read_text()
        port = re.search(r'address = "tcp://127\.0\.0\.1:(\d+)"', text)
        assert port
        relay = Relay(int(port[1]))
        self.agent.hub.write_text(text.replace(port[1], str(relay.port)))
        return relay

    def _live(self, folder: Path) -> None:
        codes = [row["code"] for row in json.loads(command("agent", "classes", str(folder), "--json").stdout)]
        command("agent", "share", str(folder), codes[0], "--until", "2026-12-31")
        # The statements are there before the lesson closes, as they would be in a school.
        self.town.set_clock(NOON - 3 * 3600)
        self.town.start_agent(folder)
        verbs = ("create", "update", "share")
        statements = [statement(p, verb, 10 + n) for p in PEOPLE[:24] for n, verb in enumerate(verbs)]
        assert post(self.xapi_port, statements) == 200
        broken = statement(PEOPLE[0], "create", 20)
        broken["verb"] = {"id": f"no iri but {PEOPLE[0].given}"}
        assert post(self.xapi_port, [broken]) == 400
        assert post(self.xapi_port, f"not a statement of {PEOPLE[1].username}") == 400
        self.town.set_clock(NOON)
        self.town.caught_up(folder, NOON)
        self.town.set_clock(SATURDAY)
        self.status = self.town.caught_up(folder, SATURDAY)
        self.codes = codes
        self._look()

    def _look(self) -> None:
        for path in ("/", "/status.json", "/what-leaves"):
            self.pages[f"agent {path}"] = fetch(self.town.agent_url(self.agent.root, path))
        district = until(lambda: self._hub_page("/api/v1/schools/schulhaus-probe"), "the school on the hub")
        assert district
        for path in (
            "/",
            "/schools/schulhaus-probe",
            f"/schools/schulhaus-probe/classes/{self.codes[0]}",
            f"/api/v1/schools/schulhaus-probe/classes/{self.codes[0]}",
            "/api/v1/district",
            "/api/v1/schools",
            "/api/v1/status",
        ):
            self.pages[f"hub {path}"] = fetch(self.town.hub_url(path))

    def _hub_page(self, path: str) -> str:
        self.pages[f"hub {path}"] = fetch(self.town.hub_url(path))
        return self.pages[f"hub {path}"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    yield Run(tmp_path_factory.mktemp("canaries"))


def everything_outside_the_inputs(run: Run) -> dict[str, bytes]:
    inputs = run.agent.root / "input"
    found = {
        str(path.relative_to(run.town.root)): path.read_bytes()
        for path in run.town.root.rglob("*")
        if path.is_file() and inputs not in path.parents
    }
    found |= {name: body.encode() for name, body in run.pages.items()}
    found["wire to the hub"] = bytes(run.relay.seen)
    return found


def test_no_canary_is_found_in_any_file_page_answer_log_or_byte_on_the_wire(run: Run) -> None:
    sought = {
        variant.lower().encode() for canary in canaries() for variant in (canary, canary.replace(":", "-"))
    }
    places = everything_outside_the_inputs(run)
    assert len(run.relay.seen) > 1000, "the wire was listened to"
    assert any(name.endswith("agent.db") for name in places), "the agent's store was looked at"
    assert any(name.startswith("hub/") for name in places), "the hub's store was looked at"
    leaks = {
        (name, canary)
        for name, data in places.items()
        for lowered in (data.lower(),)
        for canary in sought
        if canary in lowered
    }
    assert not leaks


def test_the_canaries_were_there_to_be_found(run: Run) -> None:
    files = [path for path in (run.agent.root / "input").rglob("*") if path.is_file()]
    inputs = b"".join(path.read_bytes() for path in files).lower()
    only_posted = {SECRET_URL, "geheimes-tagebuch", "token=sesam", "Tagebuch von", "Vogelgasse"}
    written_with_colons = {person.hardware.replace(":", "") for person in PEOPLE}
    for canary in canaries() - only_posted - written_with_colons:
        assert canary.lower().encode() in inputs, canary
    posted = json.dumps(statement(PEOPLE[0], "create", 10), ensure_ascii=False)
    assert all(canary in posted for canary in only_posted)
    assert run.status["signals"] > 500
    assert run.status["refused"]["malformed_line"] == 5


def test_what_crossed_the_wire_was_looked_at_before_it_was_encrypted(run: Run) -> None:
    """On the wire there is only ciphertext: what was under it lies in the disclosure log, byte for byte."""
    connection = reader(run.agent.database)
    found = connection.execute("SELECT kind, payload, sealed FROM disclosures").fetchall()
    connection.close()
    assert {kind for kind, _, _ in found} == {"lesson", "week", "status"}
    opener = school_key.read(run.agent.secrets / school_key.PRIVATE)
    for _, locked, key in found:
        payload = disclosures.opened(opener, locked, key)
        assert payload is not None and json.loads(payload)["school"], "the school's own key opens it"
        lowered = payload.lower()
        assert not [canary for canary in canaries() if canary.lower().encode() in lowered]


def test_a_learner_seen_by_two_sources_is_one_device(run: Run) -> None:
    shared = json.loads(run.pages[f"hub /api/v1/schools/schulhaus-probe/classes/{run.codes[0]}"])
    (lesson,) = shared["lessons"]
    assert lesson["devices"] == 12 and lesson["expected"] == 12
    assert lesson["features"]["artefact_rate"] > 0, "the apps' own reports are in it"
    assert lesson["features"]["consume_share"] is not None, "and so are the contacts"


def test_only_the_shared_class_has_a_lesson_on_the_hub(run: Run) -> None:
    school = json.loads(run.pages["hub /api/v1/schools/schulhaus-probe"])
    assert run.codes[0] in json.dumps(school)
    assert not any(code in json.dumps(run.pages) for code in run.codes[1:] if code not in str(run.status))
    assert run.status["windows"]["lessons_sent"] == 1
    assert run.status["windows"]["held_back"] == {"not_shared": 3}


def test_the_week_left_once_its_last_key_was_destroyed(run: Run) -> None:
    assert run.status["weeks"] == [{"week": "2026-W38", "bands": 1, "held_back": None}]
    assert not list(run.agent.day_keys.iterdir()), "no key outlives its 36 hours"


def test_no_pseudonym_is_left_once_the_day_key_is_destroyed(run: Run) -> None:
    connection = reader(run.agent.database)
    for table in ("batches", "heard"):
        assert connection.execute(f"SELECT 1 FROM {table}").fetchone() is None, table  # noqa: S608 - two constants
    connection.close()
