"""The bell schedule as a school's office keeps it: `period,days,start,end` in local time."""

from demo.school import WEEKDAYS, School


def render_bells(school: School) -> str:
    """One row for each period at the times it has on some weekdays."""
    rows = ["period,days,start,end"]
    for bell in school.bells:
        days = " ".join(WEEKDAYS[day] for day in bell.weekdays)
        rows.append(f"{bell.name},{days},{bell.start:%H:%M},{bell.end:%H:%M}")
    return "\n".join(rows) + "\n"
