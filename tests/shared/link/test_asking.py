"""What a sender asks is answered whole and of one version, whatever is lost on the way."""

import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import UsageError
from shared.link.answering import Answers
from shared.link.asking import Asker, Pull, version_of
from shared.link.client import LinkClient
from shared.link.errands import Errands
from shared.link.frames import MAX_PARTS, PART, Ask, Told
from shared.link.instructions import Question
from shared.link.keys import KeyPair
from shared.link.sender import Pace
from shared.link.server import LinkServer
from shared.link.spool import Spool
from tests.shared.link.site import Site, until

SERVER_KEYS, KEYS = KeyPair.new(), KeyPair.new()
PACE = Pace(first=0.2, longest=1.0, refused=0.1)


class Library:
    """Something to tell, which may change at any time."""

    def __init__(self) -> None:
        self.shelf: dict[tuple[str, str], bytes] = {}
        self.looked = 0

    def tell(self, enrolment: str, what: str) -> bytes | None:
        self.looked += 1
        return self.shelf.get((enrolment, what))


def answer(answers: Answers, ask: object, enrolment: str = "school") -> Told:
    assert isinstance(ask, Ask)
    return answers.told(Question(b"r", enrolment, ask))


def asked(what: str = "book") -> tuple[Asker, Pull]:
    asker, pull = Asker(random.Random(1), Pace()), Pull(what)
    asker.pull(pull)
    return asker, pull


def test_a_long_answer_is_pulled_part_by_part_and_looked_up_once() -> None:
    library, (asker, pull) = Library(), asked()
    library.shelf["school", "book"] = whole = random.Random(2).randbytes(3 * PART + 1)
    answers, said = Answers(library), []
    while not pull.future.done():
        said += (frames := asker.due(0.0))
        assert len(frames) == 1
        asker.told(answer(answers, frames[0]))
    assert said == [Ask("book", part) for part in range(4)]
    assert pull.future.result(0) == whole
    assert library.looked == 1
    assert asker.deadline == float("inf")


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART])
def test_answers_of_every_length_arrive_whole(size: int) -> None:
    library, (asker, pull) = Library(), asked()
    library.shelf["school", "book"] = bytes(size)
    answers = Answers(library)
    while frames := asker.due(0.0):
        asker.told(answer(answers, frames[0]))
    assert pull.future.result(0) == bytes(size)


def test_nothing_of_that_name_is_an_answer_and_another_enrolments_is_nobody_elses() -> None:
    library, (asker, pull) = Library(), asked()
    library.shelf["other", "book"] = b"not for you"
    told = answer(Answers(library), asker.due(0.0)[0])
    assert told.parts == 0
    assert told.data == b""
    asker.told(told)
    assert pull.future.result(0) is None
    assert answer(Answers(object()), Ask("book", 0)).parts == 0, "an inbox that tells nothing"


def test_silence_is_answered_with_growing_patience() -> None:
    asker, _ = asked()
    waits, now = [], 0.0
    for _ in range(7):
        assert asker.due(now) == [Ask("book", 0)]
        assert asker.due(now) == []
        waits.append(asker.deadline - now)
        now = asker.deadline
    assert all(0.75 <= wait / min(30, 2.0**i) <= 1.25 for i, wait in enumerate(waits))


def test_whoever_no_longer_waits_is_forgotten() -> None:
    asker, pull = asked()
    pull.dropped = True
    assert asker.due(0.0) == []
    asker.told(Told("book", b"v", 0, 1, b"x"))
    assert not pull.future.done()


def test_a_line_that_does_not_stand_gathers_no_questions() -> None:
    asker = Asker(random.Random(1), Pace())
    for _ in range(100):
        asker.pull(pull := Pull("book"))
        pull.dropped = True
    assert len(asker._pulls) == 1
    asker.tidy()
    assert asker._pulls == []
    assert asker.deadline == float("inf")


def test_whoever_gives_up_waiting_leaves_nothing_behind() -> None:
    errands = Errands(random.Random(1), Pace(), lambda: True)
    pulls = []
    for _ in range(3):
        with pytest.raises(TimeoutError):
            errands.ask("book", 0.0, lambda: "")
        errands.take_over()
        pulls.append(len(errands.asker._pulls))
    assert pulls[-1] <= 1
    errands.take_over()
    assert errands.asker._pulls == []


def test_a_kept_answer_is_forgotten_after_a_minute_whether_or_not_anybody_asks() -> None:
    library, now = Library(), [0.0]
    library.shelf["school", "book"] = first = bytes(3 * PART)
    answers = Answers(library, lambda: now[0])
    assert answer(answers, Ask("book", 0)).version == version_of(first)
    library.shelf["school", "book"] = second = b"s" * 3 * PART
    now[0] = 59.0
    assert answer(answers, Ask("book", 1)).version == version_of(first), "a pull is of one version"
    now[0] = 60.0
    answers.forget_old()
    assert not answers._kept
    assert answer(answers, Ask("book", 1)).version == version_of(second)


def test_an_answer_too_long_for_the_link_is_an_error_of_its_inbox_not_a_cut_answer() -> None:
    library = Library()
    library.shelf["school", "book"] = bytes(MAX_PARTS * PART + 1)
    with pytest.raises(ValueError, match="at most"):
        answer(Answers(library), Ask("book", 0))


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_pull_is_of_one_version_however_often_it_changes_and_whatever_is_lost(seed: int) -> None:
    rng = random.Random(seed)
    library, (asker, pull) = Library(), asked()
    versions = [rng.randbytes(rng.choice([0, 10, PART, 2 * PART + 5, 4 * PART])) for _ in range(4)]
    library.shelf["school", "book"] = versions[0]
    answers, flying = Answers(library), [Told("book", b"stale", 0, 3, b"stale")]
    now = 0.0
    for step in range(400):
        if step < 200 and rng.random() < 0.05:
            library.shelf["school", "book"] = rng.choice(versions)
        if rng.random() < 0.05:
            answers = Answers(library)  # the server starts again
        flying += [answer(answers, frame) for frame in asker.due(now)]
        if flying and rng.random() < 0.7:
            told = flying.pop(rng.randrange(len(flying)))
            asker.told(told)
            if rng.random() < 0.2:
                flying.append(told)
        elif flying and step < 200 and rng.random() < 0.3:
            flying.pop()
        if not flying and asker.deadline < float("inf"):
            now = max(now, asker.deadline)
        if pull.future.done():
            break
    assert pull.future.result(0) in versions


class TellingSite(Site, Library):
    """A site that also tells."""

    def __init__(self, path: Path, keys: dict[str, str]) -> None:
        Site.__init__(self, path, keys)
        Library.__init__(self)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as closing:
        yield closing


def serve(site: Site, stack: ExitStack) -> LinkServer:
    server = LinkServer("tcp://127.0.0.1:*", SERVER_KEYS, site)
    server.start()
    stack.callback(server.stop)
    stack.callback(site.close)
    return server


def dial(server: LinkServer, stack: ExitStack) -> tuple[LinkClient, Spool]:
    spool = Spool(rereads=False)
    client = LinkClient(
        server.endpoint, SERVER_KEYS.public, KEYS, "records", spool, random.Random(1), pace=PACE
    )
    client.start()
    stack.callback(client.stop)
    return client, spool


def test_over_sockets_answers_arrive_while_batches_are_sent(tmp_path: Path, stack: ExitStack) -> None:
    site = TellingSite(tmp_path / "r.db", {KEYS.public: "school-1"})
    site.shelf["school-1", "catalogue:1"] = whole = random.Random(3).randbytes(2_000_000)
    server = serve(site, stack)
    client, spool = dial(server, stack)
    answers: list[bytes | None] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.ask("catalogue:1", 20))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for i in range(100):
        spool.put(b"%d" % i, b"%d" % i)
    for thread in threads:
        thread.join()
    assert answers == [whole] * 3
    assert client.ask("catalogue:2", 20) is None
    assert spool.flush(10)
    assert site.histogram() == {b"%d" % i: 1 for i in range(100)}
    assert server.counters["told"] >= 3 * 33


def test_over_sockets_a_pull_goes_on_after_the_server_started_again(tmp_path: Path, stack: ExitStack) -> None:
    site = TellingSite(tmp_path / "r.db", {KEYS.public: "school-1"})
    site.shelf["school-1", "catalogue:1"] = whole = bytes(5_000_000)
    server = serve(site, stack)
    client, _ = dial(server, stack)
    answers: list[bytes | None] = []
    thread = threading.Thread(target=lambda: answers.append(client.ask("catalogue:1", 20)))
    thread.start()
    until(lambda: server.counters.get("told", 0) > 3, "some parts are there")
    server.stop()
    server.start()
    thread.join()
    assert answers == [whole]


def test_an_inbox_that_tells_nothing_answers_so(tmp_path: Path, stack: ExitStack) -> None:
    site = Site(tmp_path / "r.db", {KEYS.public: "school-1"})
    client, _ = dial(serve(site, stack), stack)
    assert client.ask("anything", 10) is None


def test_who_gets_no_answer_is_told_why(tmp_path: Path, stack: ExitStack) -> None:
    site = Site(tmp_path / "r.db", {})
    client, _ = dial(serve(site, stack), stack)
    until(lambda: client.state.name == "refused", "refused")
    with pytest.raises(TimeoutError, match="not enrolled"):
        client.ask("anything", 0.05)
    with pytest.raises(UsageError, match="cannot be asked for"):
        client.ask("No Name", 0.05)


def test_stopping_the_link_ends_the_wait(tmp_path: Path, stack: ExitStack) -> None:
    client, _ = dial(serve(Site(tmp_path / "r.db", {}), stack), stack)

    def wait() -> None:
        with pytest.raises(TimeoutError):
            client.ask("anything", 60)

    waiting = threading.Thread(target=wait)
    waiting.start()
    client.stop()
    waiting.join(10)
    assert not waiting.is_alive()
