"""Numbers and lengths of time as sentences of a check say them."""


def counted(number: int, name: str, plural: str = "") -> str:
    """`1 device`, `3 devices`."""
    return f"{number:,} {name if number == 1 else plural or name + 's'}"


def length(seconds: float) -> str:
    """About how long, in the unit that fits."""
    size = abs(seconds)
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if size >= unit * 1.5 or (size >= unit and unit > 60):
            return counted(round(size / unit), name)
    return counted(round(size), "second")


def share(part: int, whole: int) -> float:
    """A share in percent, to one place; 100 of nothing."""
    return round(100 * part / whole, 1) if whole else 100.0
