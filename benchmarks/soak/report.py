"""A soak as a page of Markdown beside its plot."""

import math
from collections.abc import Mapping, Sequence

from benchmarks.harness import median, percentile, prose
from benchmarks.soak.judge import LEAST_MINUTES, STEADY_MINUTES, Verdict, settled
from benchmarks.soak.run import CLASSES, DEVICES, RATE, SHARED, Found

_FLAT = {True: "yes", False: "no", None: "too short to say"}


def render(found: Found, verdicts: Sequence[Verdict], facts: Sequence[str], plot: str) -> str:
    """The whole page; `facts` are lines on machine and command."""
    samples = found.samples
    judged = settled(samples)
    minutes = samples[-1].minute
    counted = found.counted
    to_store = [sample.to_store for sample in judged if not math.isnan(sample.to_store)]
    lines = [
        f"# Soak: {minutes:.0f} minutes at {RATE:,} signals a second",
        "",
        f"![what an agent and a hub used, by minute]({plot})",
        "",
        "| what | unit | median | p99 | slope | still flat | flat |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {v.title} | {v.unit} | {v.middle} | {v.p99} | {v.slope} | {v.allowed} | {_FLAT[v.flat]} |"
            for v in verdicts
        ),
        "",
        f"Counts at the end: {'exact' if counted.exact else 'NOT EXACT'}.",
        f"- all on disk {found.caught_up_s:.1f} s after the last line was written",
        f"- signals written {counted.signals_written:,}, on the agent's disk {counted.signals_kept:,}",
        f"- lessons closed {counted.lessons_closed:,}",
        f"- lesson records sent {counted.records_sent:,}, in the hub's store {counted.records_kept:,}",
        f"- records refused {counted.refused:,}",
        "- lines that became no signal, by the agent's own counts: " + (_reasons(counted.not_kept) or "none"),
        f"- memory at most: agent {found.agent_most_mib:.1f} MiB, hub {found.hub_most_mib:.1f} MiB",
    ]
    if to_store:
        lines.append(
            f"- line to the agent's disk, looked at each 5 s: p50 {median(to_store):.2f} s,"
            f" p99 {percentile(to_store, 0.99):.2f} s, longest {max(to_store):.2f} s"
        )
    if found.to_hub:
        lines.append(
            f"- record to the hub's disk, all {len(found.to_hub):,}: p50 {median(found.to_hub):.3f} s,"
            f" p99 {percentile(found.to_hub, 0.99):.3f} s, longest {max(found.to_hub):.3f} s"
        )
    lines += ["", prose(_ABOUT.format(rotations=found.rotations)), "", *facts, ""]
    return "\n".join(lines)


def _reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {reason}" for reason, number in counts.items())


_ABOUT = f"""
A real agent and a real hub as processes of their own, a school of {CLASSES} classes with {DEVICES} iPads
each, {SHARED} of them shared, lessons round the clock. The simulated clock runs 144 times as fast as the
real one: every ten minutes a day ends, its log is rotated (in this run {{rotations}} times), every 25 seconds
{CLASSES} lessons close at once, and the signals of a day are destroyed fifteen minutes after it began; so an
hour holds six days of a school that never sleeps, at the full rate in real time. Processor shares include
these bells. Medians and slopes are of the time after minute {STEADY_MINUTES:.0f}, when as many days are
forgotten as begin (shaded in the plot); the slope is the median of all pairs of minutes. Runs under
{LEAST_MINUTES:.0f} minutes are not judged. The databases keep by design what a lesson leaves: at the
agent its window, its record and the log's entry, at the hub the record; they are judged by what one lesson
adds. At a rotation the agent waits five seconds until the old file is quiet, the longest latency. The
dotted lines are simulated midnights.
"""
