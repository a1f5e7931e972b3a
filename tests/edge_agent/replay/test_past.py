"""How far a log has come in time, and that leases of other files are known by then."""

from pathlib import Path
from statistics import median_low

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.replay import past
from edge_agent.replay.past import BLOCK, middles
from edge_agent.replay.run import replay_folder
from edge_agent.sources.facts import Contact, Contacts, Lease, Reading
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(0, 5 * BLOCK), st.integers(0, 2**32), st.floats(0, 1000), st.booleans())
def test_a_block_has_the_lower_middle_of_its_own_times(
    count: int, seed: int, limit: float, columns: bool
) -> None:
    times: list[int] = np.random.default_rng(seed).integers(0, 1200, count).tolist()
    whole = Reading(facts=[Lease(t, "10.0.0.1", "00") for t in times])
    if columns:
        asked = Contacts.of([Contact(t, "10.0.0.1", "x") for t in times[:-3]])
        whole = Reading(facts=whole.facts[-3:], contacts=asked, after=[len(asked)] * len(whole.facts[-3:]))
    believed = [t for t in times if t <= limit]
    blocks = np.array_split(np.array(believed, np.int64), max(len(believed) // BLOCK, 1))
    assert middles(whole, limit) == [median_low(block.tolist()) for block in blocks if len(block)]


def test_leases_of_another_file_are_known_for_the_last_day_of_a_piece_of_many_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = list(enumerate(learners(12), start=1))
    folder = make_school(tmp_path / "agent", SchoolSpec([ClassSpec("c1", "t1", [p for _, p in people])]))
    asks = "Sep {} 09:05:{:02d} dnsmasq[9]: query[A] padlet.com from 10.0.{}.{}\n"
    gets = "Sep {} 08:55:00 dnsmasq-dhcp[9]: DHCPACK(eth0) 10.0.{}.{} {} iPad\n"
    asked, leased = tmp_path / "asked", tmp_path / "leased"
    # Most of the only piece is of the first day.
    asked.write_text(
        "".join(
            asks.format(day, n, day, i)
            for day, most in ((14, 34), (18, 24))
            for n in range(most)
            for i, _ in people
        )
    )
    own = {day: "".join(gets.format(day, day, i, p.hardware) for i, p in people) for day in (14, 18)}
    others = (gets.format(16, 100 + n % 100, n % 250, "02:00:00:00:00:01") for n in range(4000))
    leased.write_text(own[14] + "".join(others) + own[18])
    monkeypatch.setattr(past, "PIECE", 48 * 1024)
    assert asked.stat().st_size < past.PIECE < leased.stat().st_size
    done = replay_folder(folder, [asked, leased], tmp_path / "out", source="dnsmasq", year=2026, now=0.0)
    assert done.lessons == 2
    assert "unmatched" not in done.counts
