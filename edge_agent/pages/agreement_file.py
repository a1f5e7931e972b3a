"""The schedule of data as a text: Markdown for an agreement, or one HTML file that loads nothing."""

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup

from edge_agent.leaving.agreement import Agreement, ElementRow
from edge_agent.pages.link_words import record_words
from edge_agent.pages.routes import pages
from shared.pages.environment import HERE
from shared.pages.formats import capital

ELEMENTS: Final = ("Category", "Element", "Collected", "Fields", "In records", "Days (UTC)")
RECORDS: Final = ("Kind of record", "How many", "First day (UTC)", "Last day (UTC)")


def markdown(agreement: Agreement) -> str:
    """The whole schedule as Markdown."""
    lines = [f"# Schedule of data: {_plain(agreement.school)}", ""]
    for line in preface(agreement):
        lines += [line, ""]
    lines += ["## Records disclosed", "", *_table(RECORDS, records(agreement)), ""]
    elements = map(cells, _collected_first(agreement.schedule))
    lines += ["## Elements of data", "", *_table(ELEMENTS, elements), ""]
    if agreement.unknown:
        lines += ["## Fields in no category", "", UNKNOWN, ""]
        lines += [*_table(ELEMENTS, map(cells, agreement.unknown)), ""]
    lines += ["## How long it is kept", "", *(f"- {rule}" for rule in agreement.retention)]
    return "\n".join(lines) + "\n"


def html(agreement: Agreement) -> str:
    """The whole schedule as one HTML file."""
    return pages.environment.get_template("agreement_file.html").render(
        order="dmy",
        path="",
        agreement=agreement,
        preface=preface(agreement),
        tables=(
            ("Records disclosed", "", RECORDS, records(agreement)),
            ("Elements of data", "", ELEMENTS, [cells(row) for row in _collected_first(agreement.schedule)]),
            ("Fields in no category", UNKNOWN, ELEMENTS, [cells(row) for row in agreement.unknown]),
        ),
        style=Markup((HERE / "static" / "common.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
    )


UNKNOWN: Final = "These were disclosed and are described nowhere above: describe them before anyone signs."


def preface(agreement: Agreement) -> list[str]:
    """What the schedule rests on, and who receives the records."""
    lines = []
    if agreement.simulated:
        lines.append("This school is simulated: no child and no teacher is behind these records.")
    lines.append(
        f"Written on {agreement.written} from the school’s disclosure log with its {agreement.entries:,}"
        f" {'entry' if agreement.entries == 1 else 'entries'}: from what left, not from what might leave."
        " Every record is about a whole lesson, a week of lessons, or the machine; none is about a student."
    )
    state = "unbroken" if agreement.unbroken else "BROKEN: compare it with a backup before anyone signs"
    lines.append(f"The log’s chain is {state}; its last entry has the hash {agreement.chain}.")
    if agreement.recipient:
        lines.append(
            f"Recipient: the district’s hub with the fingerprint {agreement.recipient},"
            f" at {agreement.address}."
        )
    else:
        lines.append("Recipient: none; the school has joined no hub.")
    if agreement.withdrawn:
        taken = "records were" if agreement.withdrawn > 1 else "record was"
        lines.append(
            f"{agreement.withdrawn:,} {taken} withdrawn before the hub had confirmed them; they count"
            " below, since they may have been under way."
        )
    return lines


def _collected_first(rows: Iterable[ElementRow]) -> list[ElementRow]:
    return sorted(rows, key=lambda row: not row.collected)


def records(agreement: Agreement) -> list[tuple[str, ...]]:
    """A row for each kind of record."""
    return [
        (capital(record_words(row.kind)), f"{row.records:,}", row.first, row.last)
        for row in agreement.records
    ]


def cells(row: ElementRow) -> tuple[str, ...]:
    """A row of the schedule."""
    if not row.collected:
        return (row.category, row.element, "no", "", "", "")
    return (
        *(row.category, row.element, "yes", ", ".join(row.fields), f"{row.records:,}"),
        f"{row.first} to {row.last}",
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *([_plain(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{letter}" if letter in r"\`*_[]<>|#" else letter for letter in text)
